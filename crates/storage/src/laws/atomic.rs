//! Laws 6 and 7, *Atomic* and *Cancel-safe*: a vector is stored completely or not at all, even if
//! its caller drops the future of the append.

use super::Harness;
use super::sample::{
    append_one, assert_contiguous, everything_after, head, keyed, open, raise, say, text, window,
};
use crate::{AppendError, Rejection};
use northgate_domain::{AlertQuery, MessageQuery};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use tokio::task::JoinSet;

/// One refused submission, at any index, must make the store refuse the complete vector. The head
/// must not move, and no event, alert or message of the vector may become visible.
pub async fn a_vector_is_stored_completely_or_not_at_all(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    append_one(store.as_ref(), keyed(say("taken"), "chat", "k")).await;
    let before = head(store.as_ref());
    for index in 0..4 {
        let mut vector = vec![raise("one"), say("two"), raise("three")];
        vector.insert(index, keyed(say("another"), "chat", "k"));
        let rejection = Rejection::KeyReused;
        assert_eq!(store.append(vector).await, Err(AppendError::Rejected { index, rejection }));
        assert_eq!(head(store.as_ref()), before, "the store moved the head for a refused vector");
        assert_eq!(everything_after(store.as_ref(), before).await, vec![]);
        assert!(store.alerts(AlertQuery::newest(10)).await.unwrap().items.is_empty());
        assert_eq!(store.messages(MessageQuery::newest(10)).await.unwrap().items.len(), 1);
    }
    assert_eq!(store.append(vec![raise("one"), say("two")]).await.unwrap().len(), 2);
    assert_eq!(head(store.as_ref()), before.advanced_by(2));
}

/// An empty vector must append no event and wake no receiver of the head.
pub async fn an_empty_vector_changes_nothing(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    let watched = store.head();
    assert_eq!(store.append(vec![]).await, Ok(vec![]));
    assert!(!watched.has_changed().unwrap());
}

/// A caller may drop the future of an append after any number of polls. The store must then contain
/// all events of the vector or none, and the offsets of the log must stay contiguous. The store may
/// store such vectors in any order.
pub async fn a_cancelled_append_stores_no_partial_vector(harness: &dyn Harness) {
    let store = open(harness, window(10_000)).await;
    let start = head(store.as_ref());
    for n in 0..100 {
        let text = format!("left {n}");
        let mut append = pin!(store.append(vec![raise(&text), say(&text)]));
        // The future is polled a few times, then dropped at the end of the loop body.
        for _ in 0..=n % 8 {
            let mut context = Context::from_waker(Waker::noop());
            if append.as_mut().poll(&mut context).is_ready() {
                break;
            }
        }
    }
    append_one(store.as_ref(), raise("last")).await;
    let events = everything_after(store.as_ref(), start).await;
    assert_contiguous(&events, start);
    assert_eq!(events.iter().filter(|event| text(&event.value) == "last").count(), 1);
    for n in 0..100 {
        let name = format!("left {n}");
        let count = events.iter().filter(|event| text(&event.value) == name).count();
        assert!(
            count == 0 || count == 2,
            "the store stored {count} of the two events of the cancelled vector {name:?}"
        );
    }
}

/// A store may write concurrent vectors together. Even then, no event, alert or message of a
/// refused vector may be stored. In this test the last submission of such a vector is refused,
/// after two valid ones.
pub async fn a_refused_vector_stores_nothing_among_concurrent_ones(harness: &dyn Harness) {
    let store = open(harness, window(10_000)).await;
    append_one(store.as_ref(), keyed(say("taken"), "chat", "k")).await;
    let start = head(store.as_ref());
    let mut tasks = JoinSet::new();
    for n in 0..120 {
        let store = store.clone();
        tasks.spawn(async move {
            let text = format!("{n}");
            let mut vector = vec![raise(&text), say(&text)];
            if n % 3 == 0 {
                vector.push(keyed(say("another"), "chat", "k"));
            }
            let result = store.append(vector).await;
            assert_eq!(
                result.is_err(),
                n % 3 == 0,
                "vector {n} returned {result:?}; the store must refuse every third vector only"
            );
        });
    }
    tasks.join_all().await;
    let events = everything_after(store.as_ref(), start).await;
    assert_contiguous(&events, start);
    assert_eq!(events.len(), 160);
    for event in &events {
        let n: usize = text(&event.value).parse().unwrap();
        assert!(!n.is_multiple_of(3), "the store contains an event of the refused vector {n}");
    }
    assert_eq!(store.alerts(AlertQuery::newest(1_000)).await.unwrap().items.len(), 80);
    assert_eq!(store.messages(MessageQuery::newest(1_000)).await.unwrap().items.len(), 81);
}
