//! Whatever happens in whatever order: what a stream says of itself is true, and all that matches
//! is given once and in order.

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

/// All the time of one play: less than anybody's patience.
const STEPS: usize = 40;
const LONGEST: u64 = 700;
const LIVE_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
enum Act {
    Append(Vec<Submission>),
    Settle,
    /// Lets the client look so many times.
    Look(usize),
    /// Lets so many milliseconds pass.
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

/// Where a stream begins, by a number that is taken to be within what there is.
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

/// Follows what one client sees.
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

    /// That everything that matches came once and in order up to `head`, and that no notice was
    /// ahead of it.
    fn testify(&self, matching: &[u64], start: u64, head: u64, announced: bool) {
        let mut known = start;
        for (index, &seen) in self.seen.iter().enumerate() {
            let missed = |to| matching.iter().any(|&offset| known < offset && offset < to);
            let at = match seen {
                Seen::Event(at) => {
                    assert!(matching.contains(&at) && at > known, "{at} after {known}");
                    assert!(!missed(at), "something is missing before {at}");
                    at
                }
                Seen::Live(at) => {
                    assert!(announced && at >= known, "{at} after {known}");
                    assert!(!missed(at + 1), "{at} is claimed too early");
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
    fn a_notice_never_claims_what_was_not_given(
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
                    // A store that is away when a stream begins is another matter.
                    Act::Reads(Reads::Fail) if witness.seen.is_empty() => {}
                    Act::Reads(reads) => store.let_reads(reads),
                }
            }
            store.let_reads(Reads::Pass);
            running.hub.caught_up().await;
            // A store that failed is asked again after a moment; a notice that was due meanwhile
            // comes an interval later.
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
