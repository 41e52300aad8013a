//! Law 3, *Whole*: a tail receives every event after its start position exactly once and in order.

use super::Harness;
use super::sample::{append, assert_contiguous, everything_after, head, open, raise, window};
use crate::tail;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use tokio::task::JoinSet;

const EVENTS: usize = 800;

/// While four writers append, several tails start at different positions. Each tail must receive
/// every later event exactly once and in order.
pub async fn a_tail_receives_every_event_exactly_once_in_order(harness: &dyn Harness) {
    let store = open(harness, window(10_000)).await;
    let start = head(store.as_ref());
    for n in 0..50 {
        append(store.as_ref(), raise(&format!("before {n}"))).await;
    }
    let mut tails = JoinSet::new();
    for skip in [0, 1, 25, 49, 50] {
        let mut tail = tail(store.clone(), start.advanced_by(skip));
        tails.spawn(async move {
            let mut seen = Vec::new();
            while tail.position().offset < (50 + EVENTS) as u64 {
                let after = tail.position();
                let events = tail.next().await.unwrap();
                assert!(!events.is_empty(), "the tail returned no events instead of waiting");
                assert_contiguous(&events, after);
                seen.extend(events);
            }
            (skip, seen)
        });
    }
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let store = store.clone();
        writers.spawn(async move {
            for n in 0..EVENTS / 4 {
                append(store.as_ref(), raise(&format!("{writer}:{n}"))).await;
                tokio::task::yield_now().await;
            }
        });
    }
    writers.join_all().await;
    let all = everything_after(store.as_ref(), start).await;
    for (skip, seen) in tails.join_all().await {
        assert_contiguous(&seen, start.advanced_by(skip));
        assert_eq!(seen, all[usize::try_from(skip).unwrap()..]);
    }
}

/// A reader that drops the future of `next` and calls `next` again must miss no event.
pub async fn a_dropped_wait_of_a_tail_loses_no_event(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    let mut tail = tail(store.clone(), head(store.as_ref()));
    for n in 0..20 {
        let mut waiting = Context::from_waker(Waker::noop());
        assert!(
            pin!(tail.next()).poll(&mut waiting).is_pending(),
            "the tail returned before an event was appended"
        );
        let event = append(store.as_ref(), raise(&n.to_string())).await;
        assert_eq!(tail.next().await.unwrap(), vec![event]);
    }
}
