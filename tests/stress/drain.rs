//! Shutdown under load: clients receive every answered event, and no client delays the exit.

use crate::dashboard::{Dashboard, StreamItem, Transport};
use crate::delivery_audit::DeliveryAudit;
use crate::publisher::{AcceptedEvent, Publisher, Talker, padding};
use crate::recording_client::{Reader, RecordingClient, Wants, resumed};
use crate::recovery::fill;
use crate::scenario::{Scenario, Summary, run};
use crate::slowness::narrow;
use fastrand::Rng;
use northgate_testkit::{EXIT_DEADLINE, PATIENCE, TestServer, connect, eventually, try_connect};
use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// Reads to the end of a stream and returns the result of [`farewell`].
pub fn read_farewell(follower: &mut RecordingClient, dashboard: &mut Dashboard) -> Option<u64> {
    loop {
        match follower.take(dashboard) {
            Ok(StreamItem::Event(_) | StreamItem::Live(_)) => {}
            last => return farewell(last, dashboard),
        }
    }
}

/// Returns the delay before reconnecting, in milliseconds, from the last item of a stream. `None`
/// if the server closed the connection without a delay.
pub fn farewell(last: io::Result<StreamItem>, dashboard: &mut Dashboard) -> Option<u64> {
    let delay = match last {
        Ok(StreamItem::Retry(delay)) => delay,
        Ok(StreamItem::Close { code: 1001, reason }) => {
            let delay = reason.strip_prefix("retry_after_ms=").unwrap();
            delay.split(';').next().unwrap().parse().unwrap()
        }
        Ok(StreamItem::End) => return None,
        Ok(other) => panic!("{other:?}"),
        Err(error) => {
            assert_ne!(error.kind(), ErrorKind::WouldBlock, "the server does not end the stream");
            return None;
        }
    };
    // No item may follow. An error is allowed: frames that this client sent too late may have reset
    // the connection.
    assert!(matches!(dashboard.next(), Ok(StreamItem::End) | Err(_)), "an item followed the delay");
    Some(delay)
}

/// Raises alerts until the server closes the connection. Returns the alerts that were answered with
/// 200.
fn raise_to_the_end(
    mut publisher: Publisher,
    counter: &AtomicUsize,
    rng: &mut Rng,
) -> Vec<AcceptedEvent> {
    let mut answered = Vec::new();
    let patience = Instant::now() + PATIENCE * 3;
    loop {
        assert!(Instant::now() < patience, "the server does not stop");
        match publisher.try_raise(&padding(rng)) {
            Ok(response) if response.status == 200 => {
                answered.push(AcceptedEvent::of(&response));
                counter.fetch_add(1, Relaxed);
            }
            Ok(response) => assert_eq!(response.status, 503, "{response:?}"),
            Err(closed) => {
                assert_ne!(
                    closed.kind(),
                    ErrorKind::WouldBlock,
                    "the server neither answers nor closes"
                );
                return answered;
            }
        }
    }
}

/// Connects again and again while the server stops, until the server no longer listens. Returns the
/// number of connections.
fn come_too_late(address: SocketAddr) -> usize {
    let patience = Instant::now() + EXIT_DEADLINE;
    for tries in 0.. {
        assert!(Instant::now() < patience, "the server still listens");
        let Ok(tcp) = try_connect(address) else { return tries };
        let transport = Transport::BOTH[tries % 2];
        let Ok(mut dashboard) = Dashboard::on(tcp, transport, "", None) else { continue };
        while let Ok(StreamItem::Event(_) | StreamItem::Live(_) | StreamItem::Retry(_)) =
            dashboard.next()
        {}
    }
    unreachable!()
}

/// A reader, and the delay in milliseconds that the server sent at the end, if any.
type Account = (RecordingClient, Option<u64>);

/// Reads to the end of the stream on a new thread.
fn listen<'scope>(
    scope: &'scope Scope<'scope, '_>,
    (mut follower, mut dashboard): Reader,
) -> ScopedJoinHandle<'scope, Account> {
    scope.spawn(move || {
        let farewell = read_farewell(&mut follower, &mut dashboard);
        (follower, farewell)
    })
}

fn accounts(threads: Vec<ScopedJoinHandle<'_, Account>>) -> Vec<Account> {
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// The result of a shutdown under load.
struct Stopped {
    answered: Vec<AcceptedEvent>,
    /// Clients that read all the time. The recorder is the first.
    awake: Vec<Account>,
    /// Clients that were behind the head when the stop began, or did not read during the stop.
    behind: Vec<Account>,
    took: Duration,
}

/// Stops a server while clients of every kind are connected: readers, talkers, publishers, readers
/// that have just resumed from `now` or `past`, and readers that do not read until the server no
/// longer listens. Another client connects repeatedly during the stop.
fn stop_amid(
    scenario: &mut Scenario,
    mut server: TestServer,
    readers: Vec<Reader>,
    now: &str,
    past: &str,
) -> Stopped {
    let address = server.address();
    let counter = AtomicUsize::new(0);
    let enough = scenario.rng.usize(1_000..2_000);
    let enough = scenario.volume(enough);
    let come_back =
        |from, tcp, n: usize| resumed(from, tcp, Transport::BOTH[n % 2], Wants::Everything);
    let asleep: Vec<_> = (0..SOME).map(|n| come_back(past, narrow(address), n)).collect();
    thread::scope(|scope| {
        let mut awake: Vec<_> = readers.into_iter().map(|reader| listen(scope, reader)).collect();
        let mut publishing = Vec::new();
        for n in 0..SOME {
            let talker = Talker::new(come_back(now, connect(address), 0), format!("t{n}"));
            let publisher = Publisher::new(address, format!("p{n}"));
            let (counter, mut rng) = (&counter, scenario.rng.fork());
            publishing.push(scope.spawn(move || raise_to_the_end(publisher, counter, &mut rng)));
            let mut rng = scenario.rng.fork();
            awake.push(scope.spawn(move || talker.talk_to_the_end(&mut rng)));
        }
        eventually(|| counter.load(Relaxed) > enough);
        // The first half resumes from `now` and can catch up before the end. The other half resumes
        // from `past`. The stop may cut these clients; real clients would then get the rest from
        // the next server.
        let from = |n| if n < SOME { now } else { past };
        let behind = (0..2 * SOME).map(|n| come_back(from(n), connect(address), n));
        let behind: Vec<_> = behind.collect();
        let asked = Instant::now();
        server.begin_stop();
        let mut behind: Vec<_> = behind.into_iter().map(|reader| listen(scope, reader)).collect();
        come_too_late(address);
        // The drain is over, so these readers receive only a part of the events.
        behind.extend(asleep.into_iter().map(|reader| listen(scope, reader)));
        server.stopped();
        Stopped {
            took: asked.elapsed(),
            answered: publishing.into_iter().flat_map(|p| p.join().unwrap()).collect(),
            awake: accounts(awake),
            behind: accounts(behind),
        }
    })
}

/// Number of clients of each kind.
const SOME: usize = 6;
/// Number of readers that are up to date.
const LIVE: usize = 40;

#[test]
fn a_stopping_server_sends_every_answered_event_to_all_readers() {
    run(|scenario| {
        let clients = 1 + LIVE + 4 * SOME;
        // One more connection is allowed, for the client that connects too late.
        let server = scenario.server(clients + 1, |_| ());
        let address = server.address();
        let mut recorder = RecordingClient::recorder();
        let recording = fill(scenario, address, &mut recorder);
        let (now, past) = (recording.position.clone(), recorder.position_of(1));
        let mut readers = vec![(recorder, recording)];
        readers.extend((0..LIVE).map(|n| {
            let wants = scenario.rng.choice(Wants::ALL).unwrap();
            resumed(&now, connect(address), Transport::BOTH[n % 2], wants)
        }));
        let mut stopped = stop_amid(scenario, server, readers, &now, &past);
        assert!(stopped.took < EXIT_DEADLINE, "{:?}", stopped.took);

        let (recorder, farewell) = stopped.awake.remove(0);
        let mut delays: HashSet<_> = farewell.into_iter().collect();
        assert_eq!(delays.len(), 1, "the recorder received no delay");
        let audit = DeliveryAudit::of(recorder);
        audit.assert_contains(&stopped.answered);
        audit.assert_sender_order();
        for (follower, farewell) in &stopped.awake {
            let delay = farewell.expect("a client that read all the time received no delay");
            assert!(delays.insert(delay), "two clients reconnect after {delay} ms");
            audit.assert_delivered_to(follower);
        }
        for (follower, farewell) in &stopped.behind {
            // A client that received a delay has received every event. The others must reconnect
            // for the rest.
            let last = farewell.map_or(follower.at(), |delay| {
                assert!(delays.insert(delay), "two clients reconnect after {delay} ms");
                u64::MAX
            });
            audit.assert_delivered_until(follower, last);
        }
        Summary { server: None, clients, events: audit.len(), reconnects: LIVE + 4 * SOME }
    });
}
