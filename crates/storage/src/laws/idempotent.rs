//! Law 5, *Idempotent*: a key that was used before returns the first outcome and appends nothing.

use super::Harness;
use super::manual_clock::ManualClock;
use super::sample::{append_one, head, keyed, open, raise, say, window};
use crate::{AppendError, Capacity, IdempotencyKey, Outcome, RecordedOutcome, Rejection};
use std::num::NonZeroUsize;
use tokio::task::JoinSet;

/// A repeat with the same key and command must return the first outcome. A repeat with the same key
/// but without a fingerprint must also return the first outcome. Another command with the same key
/// must be refused.
pub async fn a_key_always_returns_its_first_outcome(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    let first = append_one(store.as_ref(), keyed(raise("fire"), "alerts", "k1")).await;
    let Outcome::Appended { event, raised } = first else {
        panic!("the first submission was not appended: {first:?}")
    };
    let again = append_one(store.as_ref(), keyed(raise("fire"), "alerts", "k1")).await;
    assert_eq!(
        again,
        Outcome::Replayed(RecordedOutcome::Appended { event: event.clone(), raised })
    );

    let reused = store.append(vec![keyed(raise("flood"), "alerts", "k1")]).await;
    let rejection = Rejection::KeyReused;
    assert_eq!(reused, Err(AppendError::Rejected { index: 0, rejection }));

    let mut unmarked = keyed(raise("flood"), "alerts", "k1");
    if let Some(key) = &mut unmarked.key {
        key.fingerprint = None;
    }
    let redelivered = append_one(store.as_ref(), unmarked).await;
    assert_eq!(
        redelivered,
        Outcome::Replayed(RecordedOutcome::Appended { event: event.clone(), raised })
    );
    assert_eq!(head(store.as_ref()), event.position);
}

/// If one vector contains a key twice, the second submission must return the outcome of the first
/// and append nothing.
pub async fn a_key_used_twice_in_one_vector_appends_once(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    let vector = vec![keyed(say("hello"), "chat", "k"), say("x"), keyed(say("hello"), "chat", "k")];
    let outcomes = store.append(vector).await.unwrap();
    let [Outcome::Appended { event, raised }, Outcome::Appended { .. }, third] =
        outcomes.as_slice()
    else {
        panic!("the vector did not return two appended events and one other outcome: {outcomes:?}")
    };
    let first = RecordedOutcome::Appended { event: event.clone(), raised: *raised };
    assert_eq!(*third, Outcome::Replayed(first));
    assert_eq!(head(store.as_ref()).offset, 2);
}

/// If a vector is refused, its keys must stay unused.
pub async fn a_refused_submission_does_not_use_up_its_key(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    append_one(store.as_ref(), keyed(say("taken"), "chat", "old")).await;
    let refused = vec![keyed(say("new"), "chat", "fresh"), keyed(say("other"), "chat", "old")];
    assert!(matches!(store.append(refused).await, Err(AppendError::Rejected { index: 1, .. })));
    let outcome = append_one(store.as_ref(), keyed(say("something else"), "chat", "fresh")).await;
    assert!(
        matches!(outcome, Outcome::Appended { .. }),
        "the store remembered a key of a refused vector: {outcome:?}"
    );
}

/// Concurrent submissions with one key must append one event, and each must return this event.
pub async fn concurrent_submissions_with_one_key_append_once(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    let mut senders = JoinSet::new();
    for _ in 0..32 {
        let store = store.clone();
        senders.spawn(async move {
            append_one(store.as_ref(), keyed(raise("fire"), "alerts", "same")).await
        });
    }
    let outcomes = senders.join_all().await;
    let appended = outcomes.iter().filter(|o| matches!(o, Outcome::Appended { .. })).count();
    assert_eq!(appended, 1);
    assert_eq!(head(store.as_ref()).offset, 1);
    for outcome in outcomes {
        let (Outcome::Appended { event, .. }
        | Outcome::Replayed(RecordedOutcome::Appended { event, .. })) = outcome
        else {
            panic!("a concurrent submission returned another outcome: {outcome:?}")
        };
        assert_eq!(event.position, head(store.as_ref()));
    }
}

/// Keys with equal values in two scopes must be independent.
pub async fn equal_keys_in_two_scopes_are_independent(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    for scope in ["alerts", "chat"] {
        let outcome = append_one(store.as_ref(), keyed(say(scope), scope, "k")).await;
        assert!(
            matches!(outcome, Outcome::Appended { .. }),
            "the store confused equal keys of two scopes: {outcome:?}"
        );
    }
}

/// If there are more keys than the capacity, the store must forget the oldest keys and no others.
pub async fn the_oldest_keys_are_forgotten_first(harness: &dyn Harness) {
    let capacity = Capacity { keys: NonZeroUsize::new(3).unwrap(), ..window(100) };
    let store = open(harness, capacity).await;
    for key in ["a", "b", "c", "d"] {
        append_one(store.as_ref(), keyed(say(key), "chat", key)).await;
    }
    for key in ["b", "c", "d"] {
        let outcome = append_one(store.as_ref(), keyed(say(key), "chat", key)).await;
        assert!(
            matches!(outcome, Outcome::Replayed(_)),
            "the store forgot key {key}, which is not the oldest: {outcome:?}"
        );
    }
    let outcome = append_one(store.as_ref(), keyed(say("a"), "chat", "a")).await;
    assert!(
        matches!(outcome, Outcome::Appended { .. }),
        "the store remembered more keys than its capacity: {outcome:?}"
    );
}

/// A store must remember a key for 24 hours after its first use. A repeat must not extend this
/// time. Afterwards the key counts as new, also for another command.
pub async fn a_key_is_forgotten_after_a_day(harness: &dyn Harness) {
    let clock = ManualClock::at(0);
    let store = harness.open(window(100), clock.meta()).await;
    let day = IdempotencyKey::LIFETIME_MICROS;
    let start = 1_700_000_000_000_000;

    clock.set(start);
    append_one(store.as_ref(), keyed(say("first"), "chat", "k")).await;
    clock.set(start + 1);
    append_one(store.as_ref(), keyed(say("second"), "chat", "other")).await;
    clock.set(start + day - 1);
    let outcome = append_one(store.as_ref(), keyed(say("first"), "chat", "k")).await;
    assert!(
        matches!(outcome, Outcome::Replayed(_)),
        "the store forgot the key before its 24 hours ended: {outcome:?}"
    );

    clock.set(start + day);
    let outcome = append_one(store.as_ref(), keyed(say("another"), "chat", "k")).await;
    assert!(
        matches!(outcome, Outcome::Appended { .. }),
        "the store still remembered the key after 24 hours: {outcome:?}"
    );
    let outcome = append_one(store.as_ref(), keyed(say("second"), "chat", "other")).await;
    assert!(
        matches!(outcome, Outcome::Replayed(_)),
        "the store forgot the key before its 24 hours ended: {outcome:?}"
    );
    // The new use is remembered for 24 hours as well.
    clock.set(start + day + day - 1);
    let outcome = append_one(store.as_ref(), keyed(say("another"), "chat", "k")).await;
    assert!(
        matches!(outcome, Outcome::Replayed(_)),
        "the store forgot the key before its 24 hours ended: {outcome:?}"
    );
}
