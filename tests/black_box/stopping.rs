//! Shutdown: every client receives all answered events and then 1001, and no client delays the
//! exit.

use northgate_testkit::{EXIT_DEADLINE, RawSocket, TestServer, eventually_within};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

#[test]
fn every_socket_gets_every_event_and_then_1001() {
    let mut server = TestServer::start();
    let mut sockets: Vec<_> = (0..100).map(|_| server.socket()).collect();
    let alerts: Vec<_> = (0..50).map(|n| server.raise(&n.to_string())).collect();
    server.begin_stop();
    let mut delays = BTreeSet::new();
    for socket in &mut sockets {
        let (texts, close) = socket.read_to_close();
        let seen: Vec<serde_json::Value> =
            texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        assert_eq!(seen, alerts);
        let close = close.unwrap();
        assert_eq!(u16::from(close.code), 1001);
        let delay = close.reason.strip_prefix("retry_after_ms=").unwrap();
        let delay = delay.strip_suffix("; the server is stopping").unwrap();
        delays.insert(delay.parse::<u64>().unwrap());
    }
    assert_eq!(delays, (1_000..1_100).collect(), "clients reconnect at different times");
    server.stopped();
}

#[test]
fn a_peer_that_never_reads_cannot_delay_the_exit() {
    let mut server = TestServer::start();
    let stuffed = server.raw_socket();
    let mut healthy = server.socket();
    let message = "x".repeat(4_000);
    // More bytes than the kernel buffers for a peer that does not read, and fewer events than the
    // server retains.
    let total = 1_200;
    for _ in 0..total {
        server.raise(&message);
        assert_eq!(healthy.next_json()["message"], message.as_str());
    }
    let asked = Instant::now();
    server.begin_stop();
    let (texts, close) = healthy.read_to_close();
    assert_eq!(texts.len(), 0, "all events were already read");
    assert_eq!(u16::from(close.unwrap().code), 1001);
    server.stopped();
    assert!(asked.elapsed() < EXIT_DEADLINE, "{:?}", asked.elapsed());
    drop(stuffed);
}

#[test]
fn clients_that_send_during_a_shutdown_still_receive_1001() {
    let mut server = TestServer::start();
    let mut sockets: Vec<_> = (0..20).map(|_| server.raw_socket()).collect();
    let chat = RawSocket::frame(0x81, br#"{"sender":"Op","message":"still talking"}"#);
    for socket in &mut sockets {
        socket.send(&chat.repeat(20));
    }
    server.begin_stop();
    for socket in &mut sockets {
        let mut last = 0;
        for turn in 0.. {
            // Chat that arrives too late is answered with an error. Stored chat arrives in order.
            // All messages together stay below the chat limit.
            if turn < 50 {
                socket.send(&chat);
            }
            let (first, payload) = socket.read_frame();
            if first == 0x88 {
                assert_eq!(payload[..2], 1001_u16.to_be_bytes());
                break;
            }
            let json: serde_json::Value = serde_json::from_slice(&payload).unwrap();
            if json["type"] == "chat" {
                let position = json["position"].as_str().unwrap();
                let offset = position.rsplit('-').next().unwrap().parse::<u64>().unwrap();
                assert!(last == 0 || offset == last + 1, "offset {offset} follows {last}");
                last = offset;
            }
        }
    }
    server.stopped();
}

#[test]
fn a_body_that_never_ends_cannot_delay_the_exit() {
    let server = TestServer::start();
    let mut stalled = server.connect();
    let head = "POST /alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{";
    std::io::Write::write_all(&mut stalled, head.as_bytes()).unwrap();
    server.raise("the server has seen the request before this one");
    let asked = Instant::now();
    server.stopped();
    assert!(asked.elapsed() < EXIT_DEADLINE, "{:?}", asked.elapsed());
}

#[test]
fn a_server_without_streams_stops_immediately() {
    let server = TestServer::start();
    let _idle = server.connect();
    let asked = Instant::now();
    server.stopped();
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}

#[test]
fn health_probes_report_live_and_ready() {
    let server = TestServer::start();
    for (path, status) in [("/health/live", "live"), ("/health/ready/", "ready")] {
        let answer = server.get(path);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json(), serde_json::json!({ "status": status }));
        assert_eq!(server.request("HEAD", path, "", b"").status, 200);
    }
}

#[test]
fn a_stopping_server_is_unready_but_serves_during_the_drain_delay() {
    let mut server = TestServer::with(|s| s.server.drain_delay = "3s".parse().unwrap());
    let mut socket = server.socket();
    server.begin_stop();
    eventually_within(EXIT_DEADLINE, || server.get("/health/ready").status == 503);
    let problem = server.get("/health/ready").problem(503);
    assert_eq!(problem["detail"], "The server is stopping.");
    assert_eq!(server.get("/health/live").status, 200);
    let alert = server.raise("in the last moment");
    assert_eq!(socket.next_json(), alert);
    let (_, close) = socket.read_to_close();
    assert_eq!(u16::from(close.unwrap().code), 1001);
    server.stopped();
}
