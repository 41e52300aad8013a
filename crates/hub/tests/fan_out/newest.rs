//! A stream that starts with the newest matching events.

use crate::client::{Client, Seen, alerts, events, last};
use crate::one_thread::{Running, on_one_thread};
use crate::sample::{alert, memory_store};
use crate::wanted::{event, filter, wanted};
use northgate_domain::{EventType, Subscription};
use northgate_hub::WindowLimits;
use northgate_storage::Submission;
use northgate_testkit::say;
use proptest::prelude::*;
use std::sync::Arc;

const EIGHT: WindowLimits = WindowLimits { frames: 8, bytes: usize::MAX };

/// The steps of a client whose stream starts after `from`, returns these events, and is then live.
fn newest(from: u64, given: impl IntoIterator<Item = u64>, head: u64) -> Vec<Seen> {
    [vec![Seen::Resumed(from)], events(given), vec![Seen::Live(head)]].concat()
}

#[test]
fn the_newest_events_are_followed_by_new_ones() {
    on_one_thread(async {
        let running = Running::new(EIGHT);
        running.append(600).await;
        for count in [0, 1, 8, 9, 128, 129, 600, 601, 1_000] {
            let mut client = running.client(last(count));
            let count = count as u64;
            let from = 600_u64.saturating_sub(count);
            assert_eq!(client.see().await, newest(from, from + 1..=600, 600), "{count}");
        }
        let mut client = running.client(last(2));
        client.see().await;
        running.append(1).await;
        assert_eq!(client.take(), events([601]));
    });
}

#[test]
fn an_empty_log_has_no_newest_events() {
    on_one_thread(async {
        let running = Running::new(EIGHT);
        for subscription in [last(0), last(5), alerts(last(5))] {
            assert_eq!(running.client(subscription).see().await, newest(0, [], 0));
        }
    });
}

#[test]
fn the_newest_matches_may_be_far_behind_the_head() {
    on_one_thread(async {
        let running = Running::new(EIGHT);
        running.append(10).await;
        for place in ["North Gate", "East Gate", "North Gate"] {
            running.store.append(vec![alert(place)]).await.unwrap();
        }
        running.append(900).await;
        let at = |place, count| Subscription { filter: filter(vec![], [place]), ..last(count) };
        for (subscription, from, given) in [
            (alerts(last(1)), 12, vec![13]),
            (alerts(last(2)), 11, vec![12, 13]),
            (at("North Gate", 2), 10, vec![11, 13]),
            (alerts(last(9)), 10, vec![11, 12, 13]),
            (at("West Gate", 9), 913, vec![]),
            (alerts(last(0)), 913, vec![]),
        ] {
            let mut client = running.client(subscription.clone());
            assert_eq!(client.see().await, newest(from, given, 913), "{subscription:?}");
        }
    });
}

/// Takes steps until the client has caught up.
async fn up_to_live(mut client: Client) -> Vec<Seen> {
    let mut seen = Vec::new();
    while !matches!(seen.last(), Some(Seen::Live(_))) {
        seen.push(client.next().await);
    }
    seen
}

#[test]
fn the_search_for_the_newest_matches_is_bounded() {
    const EXAMINED: usize = 32_768;
    on_one_thread(async {
        let running = Running::over(Arc::new(memory_store(EXAMINED + 100)), EIGHT);
        running.store.append(vec![alert("North Gate")]).await.unwrap();
        let batch: Vec<_> = (0..EXAMINED - 1).map(|n| say(&n.to_string())).collect();
        running.store.append(batch).await.unwrap();
        running.hub.caught_up().await;
        let newest_alert = || running.client(alerts(last(1)));
        assert_eq!(up_to_live(newest_alert()).await, newest(0, [1], EXAMINED as u64));
        running.append(64).await;
        let head = EXAMINED as u64 + 64;
        assert_eq!(up_to_live(newest_alert()).await, newest(head, [], head));
    });
}

#[test]
fn events_appended_during_the_search_are_returned_too() {
    on_one_thread(async {
        let running = Running::new(EIGHT);
        running.append(600).await;
        let mut client = running.client(last(3));
        running.append(50).await;
        assert_eq!(client.see().await, newest(597, 598..=650, 650));
    });
}

#[test]
fn the_newest_events_start_at_the_oldest_in_the_store() {
    on_one_thread(async {
        let running = Running::over(Arc::new(memory_store(50)), EIGHT);
        for _ in 0..30 {
            running.append(10).await;
        }
        let chat = filter(vec![EventType::Chat], []);
        for subscription in
            [last(50), last(51), last(1_000), Subscription { filter: chat, ..last(1_000) }]
        {
            let mut client = running.client(subscription.clone());
            assert_eq!(client.see().await, newest(250, 251..=300, 300), "{subscription:?}");
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn exactly_the_newest_matches_are_returned(
        frames in prop_oneof![Just(1_usize), 1_usize..300],
        // At least 2: the store must retain the last batch of two events until the pump has read
        // the batch.
        capacity in prop_oneof![2_usize..300, Just(10_000)],
        log in prop::collection::vec(event(), 0..500),
        wanted in wanted(),
        count in prop_oneof![0_usize..8, 0_usize..500],
    ) {
        on_one_thread(async {
            let store = Arc::new(memory_store(capacity));
            let running = Running::over(store, WindowLimits { frames, bytes: usize::MAX });
            for some in log.chunks(60) {
                running.store.append(some.to_vec()).await.unwrap();
                running.hub.caught_up().await;
            }
            let head = log.len() as u64;
            let mut matching = wanted.of(running.store.as_ref()).await;
            let chosen = matching.split_off(matching.len().saturating_sub(count));
            let from = chosen.first().map_or(head, |first| first - 1);
            let mut client = running.client(Subscription { filter: wanted.filter(), ..last(count) });
            assert_eq!(client.see().await, newest(from, chosen, head));
            let both: Vec<Submission> = vec![alert("Gate"), alert("North Gate")];
            running.store.append(both).await.unwrap();
            let offsets = wanted.of(running.store.as_ref()).await;
            let later = offsets.into_iter().filter(|&offset| offset > head);
            assert_eq!(client.see().await, events(later));
        });
    }
}
