//! The end of a server with everybody on it: what was answered arrives, and nobody holds it up.

use crate::client::{Dashboard, Said, Transport};
use crate::ledger::{Follower, Reader, Wants, resumed};
use crate::publisher::{Answered, Publisher, Talker, padding};
use crate::recovery::fill;
use crate::slowness::narrow;
use crate::stage::{Played, Stage, eventually, play};
use fastrand::Rng;
use northgate_tests::{PATIENCE, TestServer, connect};
use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// As in `black_box`: five times what is promised.
pub const DEADLINE: Duration = Duration::from_secs(40);

/// Reads to the end of a stream, and gives the [`farewell`].
pub fn read_farewell(follower: &mut Follower, dashboard: &mut Dashboard) -> Option<u64> {
    loop {
        match follower.take(dashboard) {
            Ok(Said::Event(_) | Said::Live(_)) => {}
            last => return farewell(last, dashboard),
        }
    }
}

/// What was said at the end of a stream: after how many milliseconds to come back, or nothing if
/// the server cut it without a word.
pub fn farewell(last: io::Result<Said>, dashboard: &mut Dashboard) -> Option<u64> {
    let delay = match last {
        Ok(Said::Retry(delay)) => delay,
        Ok(Said::Close { code: 1001, reason }) => {
            let delay = reason.strip_prefix("retry_after_ms=").unwrap();
            delay.split(';').next().unwrap().parse().unwrap()
        }
        Ok(Said::End) => return None,
        Ok(other) => panic!("{other:?}"),
        Err(error) => {
            assert_ne!(error.kind(), ErrorKind::WouldBlock, "nothing ends");
            return None;
        }
    };
    // Nothing may follow; but what this client said too late may have broken the connection.
    assert!(matches!(dashboard.next(), Ok(Said::End) | Err(_)), "after the last word");
    Some(delay)
}

/// Raises alerts until the server takes no more: what it answered until then, with 200.
fn raise_to_the_end(
    mut publisher: Publisher,
    counter: &AtomicUsize,
    rng: &mut Rng,
) -> Vec<Answered> {
    let mut answered = Vec::new();
    let patience = Instant::now() + PATIENCE * 3;
    loop {
        assert!(Instant::now() < patience, "the server does not stop");
        match publisher.try_raise(&padding(rng)) {
            Ok((200, json)) => {
                answered.push(Answered::of(json));
                counter.fetch_add(1, Relaxed);
            }
            Ok((503, _)) => {}
            Ok(other) => panic!("{other:?}"),
            Err(closed) => {
                assert_ne!(closed.kind(), ErrorKind::WouldBlock, "neither an answer nor an end");
                return answered;
            }
        }
    }
}

/// Comes when the server is about to leave, again and again: it is served, or it is not.
fn come_too_late(address: SocketAddr) -> usize {
    let patience = Instant::now() + DEADLINE;
    for tries in 0.. {
        assert!(Instant::now() < patience, "the server still listens");
        let Ok(tcp) = TcpStream::connect(address) else { return tries };
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        let transport = Transport::BOTH[tries % 2];
        let Ok(mut dashboard) = Dashboard::on(tcp, transport, "", None) else { continue };
        while let Ok(Said::Event(_) | Said::Live(_) | Said::Retry(_)) = dashboard.next() {}
    }
    unreachable!()
}

/// A reader, and what it was told at the end.
type Account = (Follower, Option<u64>);

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
    answered: Vec<Answered>,
    /// Those who read all the time, the witness first.
    awake: Vec<Account>,
    /// Those who were far behind.
    behind: Vec<Account>,
    took: Duration,
}

/// Stops a server while some read, some talk, some publish, some have just come back from `past`
/// or read nothing before it is too late, and some still come.
fn stop_amid(
    stage: &mut Stage,
    mut server: TestServer,
    readers: Vec<Reader>,
    now: &str,
    past: &str,
) -> Stopped {
    let address = server.address();
    let counter = AtomicUsize::new(0);
    let enough = stage.rng.usize(1_000..2_000);
    let enough = stage.volume(enough);
    let come_back =
        |from, tcp, n: usize| resumed(from, tcp, Transport::BOTH[n % 2], Wants::Everything);
    let asleep: Vec<_> = (0..SOME).map(|n| come_back(past, narrow(address), n)).collect();
    thread::scope(|scope| {
        let mut awake: Vec<_> = readers.into_iter().map(|reader| listen(scope, reader)).collect();
        let mut publishing = Vec::new();
        for n in 0..SOME {
            let talker = Talker::new(come_back(now, connect(address), 0), format!("t{n}"));
            let publisher = Publisher::new(address, format!("p{n}"));
            let (counter, mut rng) = (&counter, stage.rng.fork());
            publishing.push(scope.spawn(move || raise_to_the_end(publisher, counter, &mut rng)));
            let mut rng = stage.rng.fork();
            awake.push(scope.spawn(move || talker.talk_to_the_end(&mut rng)));
        }
        eventually(|| format!("{counter:?} answers"), || counter.load(Relaxed) > enough);
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
    play(|stage| {
        let clients = 1 + LIVE + 4 * SOME;
        // One seat more for one who comes too late.
        let server = stage.server(clients + 1, |_| ());
        let address = server.address();
        let mut witness = Follower::witness();
        let witnessing = fill(stage, address, &mut witness);
        let (now, past) = (witnessing.position.clone(), witness.position_of(1));
        let mut readers = vec![(witness, witnessing)];
        readers.extend((0..LIVE).map(|n| {
            let wants = stage.rng.choice(Wants::ALL).unwrap();
            resumed(&now, connect(address), Transport::BOTH[n % 2], wants)
        }));
        let mut stopped = stop_amid(stage, server, readers, &now, &past);
        assert!(stopped.took < DEADLINE, "{:?}", stopped.took);

        let (witness, told) = stopped.awake.remove(0);
        let mut delays: HashSet<_> = told.into_iter().collect();
        assert_eq!(delays.len(), 1, "the witness was not told");
        let log = witness.into_log();
        log.assert_holds(&stopped.answered);
        log.assert_keeps_the_order_of_each();
        for (follower, farewell) in &stopped.awake {
            let delay = farewell.expect("one who read all the time was cut");
            assert!(delays.insert(delay), "two come back after {delay} ms");
            log.assert_seen_by(follower);
        }
        for (follower, farewell) in &stopped.behind {
            // Whoever is told to come back has everything; the others come back for the rest.
            let last = farewell.map_or(follower.at(), |delay| {
                assert!(delays.insert(delay), "two come back after {delay} ms");
                u64::MAX
            });
            log.assert_seen_until(follower, last);
        }
        Played { server: None, clients, events: log.len(), reconnects: LIVE + 4 * SOME }
    });
}
