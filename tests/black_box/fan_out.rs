//! Fan-out: every answered alert reaches every dashboard exactly once, in the same order for all.

use northgate_testkit::{RawSocket, TestServer, WebSocket, set_window};
use serde_json::Value;
use std::sync::Barrier;
use std::thread;

const SOCKETS: usize = 60;
const PUBLISHERS: usize = 8;
const ALERTS: usize = 100;

fn read_all(socket: &mut WebSocket, count: usize) -> Vec<Value> {
    (0..count).map(|_| socket.next_json()).collect()
}

#[test]
fn every_socket_gets_every_alert_once_and_in_the_same_order() {
    let server = TestServer::start();
    let mut sockets: Vec<_> = (0..SOCKETS).map(|_| server.socket()).collect();
    let answered: Vec<Value> = thread::scope(|scope| {
        let publishers: Vec<_> = (0..PUBLISHERS)
            .map(|publisher| {
                let server = &server;
                scope.spawn(move || -> Vec<_> {
                    (0..ALERTS).map(|n| server.raise(&format!("{publisher}:{n}"))).collect()
                })
            })
            .collect();
        publishers.into_iter().flat_map(|publisher| publisher.join().unwrap()).collect()
    });
    let expected = read_all(&mut sockets[0], PUBLISHERS * ALERTS);
    for socket in &mut sockets[1..] {
        assert_eq!(read_all(socket, PUBLISHERS * ALERTS), expected);
        socket.assert_nothing_came();
    }
    assert_eq!(answered.len(), expected.len());
    for alert in &answered {
        assert_eq!(expected.iter().filter(|seen| seen["id"] == alert["id"]).count(), 1);
        assert!(expected.contains(alert), "the sockets got the same JSON as the answer");
    }
    for publisher in 0..PUBLISHERS {
        let prefix = format!("{publisher}:");
        let messages = expected.iter().map(|alert| alert["message"].as_str().unwrap());
        let own: Vec<_> = messages.filter(|message| message.starts_with(&prefix)).collect();
        let sent: Vec<_> = (0..ALERTS).map(|n| format!("{publisher}:{n}")).collect();
        assert_eq!(own, sent, "alerts of one publisher keep their order");
    }
}

#[test]
fn a_socket_that_connects_late_gets_all_later_events_without_gap() {
    let server = TestServer::start();
    let mut whole = server.socket();
    let start = Barrier::new(2);
    let late: Vec<Vec<Value>> = thread::scope(|scope| {
        let publisher = scope.spawn(|| {
            start.wait();
            for n in 0..400 {
                server.raise(&n.to_string());
            }
            server.raise("end")
        });
        start.wait();
        let mut sockets: Vec<_> = (0..40).map(|_| server.socket()).collect();
        publisher.join().unwrap();
        let to_the_end = |socket: &mut WebSocket| {
            let mut seen = vec![];
            while seen.last().is_none_or(|last: &Value| last["message"] != "end") {
                seen.push(socket.next_json());
            }
            seen
        };
        sockets.iter_mut().map(to_the_end).collect()
    });
    let all = read_all(&mut whole, 401);
    for seen in late {
        assert_eq!(seen, all[all.len() - seen.len()..], "no gap and no repeat");
    }
}

/// Raises `total` alerts of 4,000 bytes while one client does not read and another client reads.
/// The frame log (8 MiB) and the kernel's buffers together are too small for 4,000 such alerts.
/// Returns the client that does not read.
fn sleep_through(server: &TestServer, total: usize) -> RawSocket {
    let sleeper = server.raw_socket();
    let mut reader = server.socket();
    let message = "x".repeat(4_000);
    for _ in 0..total {
        let alert = server.raise(&message);
        assert_eq!(reader.next_json(), alert, "received while the other client does not read");
    }
    reader.assert_nothing_came();
    sleeper
}

/// Reads events without a gap until a Close frame or `total` events. Returns the number of events
/// and the payload of the Close frame.
fn read_unbroken(sleeper: &mut RawSocket, total: usize) -> (usize, Option<Vec<u8>>) {
    let mut seen = 0;
    while seen < total {
        let (first, payload) = sleeper.read_frame();
        if first == 0x88 {
            return (seen, Some(payload));
        }
        assert_eq!(first, 0x81);
        seen += 1;
        let json: Value = serde_json::from_slice(&payload).unwrap();
        let position = json["position"].as_str().unwrap();
        assert!(position.ends_with(&format!("-{seen}")), "event {seen} has position {position}");
    }
    (seen, None)
}

#[test]
fn a_client_that_stops_reading_delays_nobody_and_misses_nothing() {
    let server = TestServer::start();
    let mut sleeper = sleep_through(&server, 4_000);
    assert_eq!(read_unbroken(&mut sleeper, 4_000), (4_000, None));
    let now = server.raise("now");
    assert_eq!(sleeper.next_json(), now);
}

#[test]
fn a_client_behind_the_retained_events_is_closed_with_4008() {
    let server = TestServer::with(|settings| set_window(settings, 100));
    let mut sleeper = sleep_through(&server, 4_000);
    let (seen, close) = read_unbroken(&mut sleeper, 4_000);
    let close = close.expect("all events fit into the buffers: the test proves nothing");
    assert_eq!(close[..2], 4008_u16.to_be_bytes(), "after {seen} events");
    sleeper.assert_ended();
}

#[test]
fn a_large_burst_of_chat_disconnects_no_reader() {
    const TOTAL: u64 = 20_000;
    let server = TestServer::with(|settings| {
        settings.chat.burst = 1_000_000.try_into().unwrap();
        set_window(settings, 30_000);
    });
    let mut readers: Vec<_> = (0..8).map(|_| server.raw_socket()).collect();
    let mut talker = server.raw_socket();
    let chat = RawSocket::frame(0x81, br#"{"sender":"Op","message":"x"}"#);
    thread::scope(|scope| {
        scope.spawn(|| talker.send(&chat.repeat(TOTAL.try_into().unwrap())));
        for reader in &mut readers {
            scope.spawn(|| {
                for n in 1..=TOTAL {
                    assert!(
                        reader.next_json()["position"]
                            .as_str()
                            .unwrap()
                            .ends_with(&format!("-{n}"))
                    );
                }
            });
        }
    });
}

#[test]
fn a_small_window_trims_no_event_that_is_not_yet_sent() {
    let server = TestServer::with(|settings| set_window(settings, 64));
    let mut reader = server.socket();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..100).for_each(|n| drop(server.raise(&n.to_string()))));
        }
        let mut last = 0;
        for _ in 0..800 {
            let position = reader.next_json()["position"].as_str().unwrap().to_owned();
            let offset: u64 = position.rsplit('-').next().unwrap().parse().unwrap();
            assert_eq!(offset, last + 1);
            last = offset;
        }
    });
}
