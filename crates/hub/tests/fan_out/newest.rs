//! A stream that begins with the newest events that match.

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

/// What a client sees that resumes after `from` and is then at `head`.
fn newest(from: u64, given: impl IntoIterator<Item = u64>, head: u64) -> Vec<Seen> {
    [vec![Seen::Resumed(from)], events(given), vec![Seen::Live(head)]].concat()
}

#[test]
fn the_newest_are_given_and_then_what_follows() {
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
fn the_newest_of_an_empty_log_are_none() {
    on_one_thread(async {
        let running = Running::new(EIGHT);
        for subscription in [last(0), last(5), alerts(last(5))] {
            assert_eq!(running.client(subscription).see().await, newest(0, [], 0));
        }
    });
}

#[test]
fn the_newest_that_match_may_lie_far_back() {
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

/// What a client sees until it has caught up, however long that takes.
async fn up_to_live(mut client: Client) -> Vec<Seen> {
    let mut seen = Vec::new();
    while !matches!(seen.last(), Some(Seen::Live(_))) {
        seen.push(client.next().await);
    }
    seen
}

#[test]
fn the_search_for_the_newest_ends_after_so_many_events() {
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
fn what_comes_while_the_newest_are_looked_for_is_given_too() {
    on_one_thread(async {
        let running = Running::new(EIGHT);
        running.append(600).await;
        let mut client = running.client(last(3));
        running.append(50).await;
        assert_eq!(client.see().await, newest(597, 598..=650, 650));
    });
}

#[test]
fn the_newest_end_where_the_store_ends() {
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
    fn exactly_the_newest_that_match_are_given(
        frames in prop_oneof![Just(1_usize), 1_usize..300],
        // What is appended at once in the end must reach the pump.
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
