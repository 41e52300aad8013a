//! The end of a server with everybody on it: what was answered arrives, and nobody holds it up.

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

/// Reads to the end of a stream, and gives the [`farewell`].
pub fn read_farewell(follower: &mut RecordingClient, dashboard: &mut Dashboard) -> Option<u64> {
    loop {
        match follower.take(dashboard) {
            Ok(StreamItem::Event(_) | StreamItem::Live(_)) => {}
            last => return farewell(last, dashboard),
        }
    }
}

/// The end of a stream: after how many milliseconds to come back, or nothing if
/// the server cut it without a word.
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
            assert_ne!(error.kind(), ErrorKind::WouldBlock, "nothing ends");
            return None;
        }
    };
    // Nothing may follow; but frames that this client sent too late may have broken the connection.
    assert!(matches!(dashboard.next(), Ok(StreamItem::End) | Err(_)), "after the last word");
    Some(delay)
}

/// Raises alerts until the server takes no more: what it answered until then, with 200.
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
                assert_ne!(closed.kind(), ErrorKind::WouldBlock, "neither an answer nor an end");
                return answered;
            }
        }
    }
}

/// Comes when the server is about to leave, again and again: it is served, or it is not.
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

/// A reader, and after how many milliseconds it is to come back.
type Account = (RecordingClient, Option<u64>);

/// Reads on a thread of its own to the end.
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

/// What came of a stop.
struct Stopped {
    answered: Vec<AcceptedEvent>,
    /// Those who read all the time, the recorder first.
    awake: Vec<Account>,
    /// Those who were far behind.
    behind: Vec<Account>,
    took: Duration,
}

/// Stops a server while some read, some talk, some publish, some have just come back from `past`
/// or read nothing before it is too late, and some still come.
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
        // Those in the first half are near enough to be told; what the others miss, they can have
        // from the next server.
        let from = |n| if n < SOME { now } else { past };
        let behind = (0..2 * SOME).map(|n| come_back(from(n), connect(address), n));
        let behind: Vec<_> = behind.collect();
        let asked = Instant::now();
        server.begin_stop();
        let mut behind: Vec<_> = behind.into_iter().map(|reader| listen(scope, reader)).collect();
        come_too_late(address);
        // Nobody drains any more: these cannot have everything.
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

/// How many of each kind take part.
const SOME: usize = 6;
/// How many readers there are that are up to date.
const LIVE: usize = 40;

#[test]
fn a_server_that_stops_has_sent_everybody_all_that_it_answered() {
    run(|scenario| {
        let clients = 1 + LIVE + 4 * SOME;
        // Room for one more, who comes too late.
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
        assert_eq!(delays.len(), 1, "the recorder was not told");
        let audit = DeliveryAudit::of(recorder);
        audit.assert_contains(&stopped.answered);
        audit.assert_sender_order();
        for (follower, farewell) in &stopped.awake {
            let delay = farewell.expect("one who read all the time was cut");
            assert!(delays.insert(delay), "two come back after {delay} ms");
            audit.assert_delivered_to(follower);
        }
        for (follower, farewell) in &stopped.behind {
            // Whoever is told to come back has everything; the others come back for the rest.
            let last = farewell.map_or(follower.at(), |delay| {
                assert!(delays.insert(delay), "two come back after {delay} ms");
                u64::MAX
            });
            audit.assert_delivered_until(follower, last);
        }
        Summary { server: None, clients, events: audit.len(), reconnects: LIVE + 4 * SOME }
    });
}
