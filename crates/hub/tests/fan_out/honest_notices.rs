//! Random schedules: every notice of a stream is true, and every matching event is returned exactly
//! once and in order.

use crate::client::{Client, Seen, after, last};
use crate::faulty_log::{FaultyLog, Reads};
use crate::one_thread::{Running, on_one_thread, settled};
use crate::sample::memory_store;
use crate::wanted::{Wanted, event, wanted};
use northgate_domain::Subscription;
use northgate_hub::WindowLimits;
use northgate_storage::Submission;
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::advance;

/// Maximum number of steps of one run, and longest wait of a step in milliseconds. All waits
/// together last at most 28 s, less than the patience of a cursor.
const STEPS: usize = 40;
const LONGEST: u64 = 700;
const LIVE_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
enum Act {
    Append(Vec<Submission>),
    Settle,
    /// Polls the client this many times.
    Look(usize),
    /// Advances the clock by this many milliseconds.
    Wait(u64),
    Reads(Reads),
}

fn act() -> impl Strategy<Value = Act> {
    let reads = prop_oneof![
        3 => Just(Reads::Pass),
        2 => Just(Reads::Hang),
        1 => Just(Reads::Fail),
        1 => Just(Reads::Dawdle),
    ];
    prop_oneof![
        4 => prop::collection::vec(event(), 0..60).prop_map(Act::Append),
        4 => Just(Act::Settle),
        5 => (1_usize..60).prop_map(Act::Look),
        4 => (0..LONGEST).prop_map(Act::Wait),
        2 => reads.prop_map(Act::Reads),
    ]
}

/// Start of a stream. A number beyond the log means the length of the log.
#[derive(Debug, Clone, Copy)]
enum Begins {
    After(u64),
    Last(u64),
    Now,
}

fn begins() -> impl Strategy<Value = Begins> {
    prop_oneof![
        (0_u64..300).prop_map(Begins::After),
        (0_u64..300).prop_map(Begins::Last),
        Just(Begins::Now),
    ]
}

/// Records what one client receives.
struct Witness {
    client: Client,
    seen: Vec<Seen>,
}

impl Witness {
    fn new(running: &Running, begins: Begins, wanted: &Wanted) -> Self {
        let begun = match begins {
            Begins::After(at) => after(at.min(running.worker.head().offset)),
            Begins::Last(count) => last(usize::try_from(count).unwrap()),
            Begins::Now => Subscription::default(),
        };
        let subscription = Subscription { filter: wanted.filter(), ..begun };
        let announced = subscription.is_announced().then_some(LIVE_EVERY);
        let client = Client::new(running.worker.stream(subscription, announced));
        Self { client, seen: Vec::new() }
    }

    fn look(&mut self, times: usize) {
        self.seen.extend((0..times).filter_map(|_| self.client.look()));
    }

    /// Asserts that the client received every matching event up to `head` once and in order, and
    /// that no notice was ahead of the events.
    fn testify(&self, matching: &[u64], start: u64, head: u64, announced: bool) {
        let mut known = start;
        for (index, &seen) in self.seen.iter().enumerate() {
            let missed = |to| matching.iter().any(|&offset| known < offset && offset < to);
            let at = match seen {
                Seen::Event(at) => {
                    assert!(matching.contains(&at) && at > known, "{at} after {known}");
                    assert!(!missed(at), "an event before {at} is missing");
                    at
                }
                Seen::Live(at) => {
                    assert!(announced && at >= known, "{at} after {known}");
                    assert!(!missed(at + 1), "the notice of {at} is too early");
                    at
                }
                Seen::Resumed(at) => {
                    assert!(announced && index == 0);
                    at
                }
                Seen::Gap { .. } | Seen::End(_) => panic!("{seen:?}"),
            };
            known = at;
        }
        assert_eq!(matches!(self.seen.first(), Some(Seen::Resumed(_))), announced);
        assert_eq!(matches!(self.seen.last(), Some(Seen::Live(_))), announced);
        assert!(!matching.iter().any(|&offset| offset > known));
        assert!(!announced || known == head);
    }
}

proptest! {
    #[test]
    fn a_notice_is_never_ahead_of_the_returned_events(
        frames in prop_oneof![Just(1_usize), 1_usize..80, Just(1_000)],
        before in prop::collection::vec(event(), 0..400),
        begins in begins(),
        wanted in wanted(),
        away_at_first in any::<bool>(),
        acts in prop::collection::vec(act(), 0..STEPS),
    ) {
        on_one_thread(async {
            let store = Arc::new(FaultyLog::new(memory_store(100_000)));
            let running = Running::over(store.clone(), WindowLimits { frames, bytes: usize::MAX });
            for some in before.chunks(50) {
                running.store.append(some.to_vec()).await.unwrap();
                running.hub.caught_up().await;
                settled().await;
            }
            let head = running.worker.head().offset;
            if away_at_first {
                store.let_reads(Reads::Hang);
            }
            let mut witness = Witness::new(&running, begins, &wanted);
            let announced = !matches!(begins, Begins::Now) || !wanted.filter().is_open();
            for act in acts {
                match act {
                    Act::Append(events) => {
                        running.store.append(events).await.unwrap();
                    }
                    Act::Settle => settled().await,
                    Act::Look(times) => witness.look(times),
                    Act::Wait(millis) => advance(Duration::from_millis(millis)).await,
                    // A store that fails when a stream starts is tested elsewhere.
                    Act::Reads(Reads::Fail) if witness.seen.is_empty() => {}
                    Act::Reads(reads) => store.let_reads(reads),
                }
            }
            store.let_reads(Reads::Pass);
            running.hub.caught_up().await;
            // A store that failed is read again after a pause. A notice that was due during the
            // pause comes one interval later.
            for time in [Duration::ZERO, Duration::from_secs(1), LIVE_EVERY * 2, LIVE_EVERY * 2] {
                advance(time).await;
                witness.seen.extend(witness.client.see().await);
            }

            let matching = wanted.of(running.store.as_ref()).await;
            let start = match begins {
                Begins::After(at) => at.min(head),
                Begins::Now => head,
                Begins::Last(count) => {
                    let known = matching.iter().filter(|&&offset| offset <= head);
                    let chosen = known.rev().take(usize::try_from(count).unwrap()).last();
                    chosen.map_or(head, |first| first - 1)
                }
            };
            if announced {
                assert_eq!(witness.seen[0], Seen::Resumed(start));
            }
            witness.testify(&matching, start, running.worker.head().offset, announced);
        });
    }
}
