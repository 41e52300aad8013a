//! A filtered stream is the complete stream without the events that do not match.

use crate::client::{Client, Seen, after, new_alerts};
use crate::one_thread::{Running, on_one_thread, settled};
use crate::sample::{ROOMY, alert};
use crate::wanted::{event, filter, wanted};
use northgate_domain::EventType::{Alert, Chat};
use northgate_domain::{EventFilter, Subscription};
use northgate_hub::WindowLimits;
use northgate_testkit::say;
use proptest::prelude::*;

/// Returns the offsets that a client with this filter receives from a hub with six events.
async fn sees_of_six(limits: WindowLimits, filter: EventFilter) -> Vec<u64> {
    let running = Running::new(limits);
    for event in ["North Gate", "", "East Gate", "North Gate", "", "South Gate"] {
        let submission = if event.is_empty() { say("What?") } else { alert(event) };
        running.store.append(vec![submission]).await.unwrap();
    }
    settled().await;
    events_of(&running.client(Subscription { filter, ..after(0) }).see().await)
}

fn events_of(seen: &[Seen]) -> Vec<u64> {
    seen.iter()
        .filter_map(|seen| if let Seen::Event(at) = seen { Some(*at) } else { None })
        .collect()
}

#[test]
fn an_event_must_meet_all_conditions_of_a_filter() {
    on_one_thread(async {
        // The client reads the events once from the window, and once from the store.
        for limits in [ROOMY, WindowLimits { frames: 1, bytes: 0 }] {
            for (types, places, expected) in [
                (vec![], vec![], vec![1, 2, 3, 4, 5, 6]),
                (vec![Chat], vec![], vec![2, 5]),
                (vec![Alert], vec![], vec![1, 3, 4, 6]),
                (vec![Alert, Chat], vec![], vec![1, 2, 3, 4, 5, 6]),
                (vec![], vec!["North Gate"], vec![1, 4]),
                (vec![], vec!["North Gate", "South Gate"], vec![1, 4, 6]),
                (vec![], vec!["North"], vec![]),
                (vec![Alert], vec!["East Gate"], vec![3]),
                (vec![Chat], vec!["East Gate"], vec![]),
            ] {
                let filter = filter(types, places);
                assert_eq!(sees_of_six(limits, filter.clone()).await, expected, "{filter:?}");
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn a_filtered_stream_contains_exactly_the_matches(
        frames in prop_oneof![Just(1_usize), 1_usize..50, Just(1_000)],
        batches in prop::collection::vec(prop::collection::vec(event(), 0..90), 1..8),
        wanted in wanted(),
        from in 0_u64..400,
    ) {
        on_one_thread(async {
            let running = Running::new(WindowLimits { frames, bytes: usize::MAX });
            let mut filter = wanted.filter();
            if filter.is_open() {
                filter.types = vec![Alert, Chat];
            }
            let now = Subscription { filter, ..Subscription::default() };
            let mut from_now = running.client(now.clone());
            let mut slow = running.client(now.clone());
            let mut seen = Vec::new();
            for batch in batches {
                running.store.append(batch).await.unwrap();
                settled().await;
                seen.extend(from_now.take());
            }
            seen.extend(from_now.see().await);
            let expected = wanted.of(running.store.as_ref()).await;
            assert_eq!(events_of(&seen), expected);
            assert_eq!(events_of(&slow.see().await), expected);
            let from = from.min(running.worker.head().offset);
            let mut resumed = running.client(Subscription { start: after(from).start, ..now });
            let later: Vec<_> = expected.into_iter().filter(|&offset| offset > from).collect();
            assert_eq!(events_of(&resumed.see().await), later);
        });
    }
}

#[test]
fn a_filtered_client_follows_the_window_while_nothing_matches() {
    on_one_thread(async {
        let running = Running::new(WindowLimits { frames: 4, bytes: usize::MAX });
        let mut clients: Vec<Client> = (0..3).map(|_| running.client(new_alerts())).collect();
        for client in &mut clients {
            client.see().await;
        }
        for _ in 0..100 {
            running.append(3).await;
            for client in &mut clients {
                assert!(client.is_woken());
                assert_eq!(client.take(), [], "the cursor skips the new events");
                assert!(!client.is_woken());
            }
        }
        running.store.append(vec![alert("North Gate")]).await.unwrap();
        settled().await;
        for client in &mut clients {
            assert_eq!(client.take(), [Seen::Event(301)]);
        }
    });
}
