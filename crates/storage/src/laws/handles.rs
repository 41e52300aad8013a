//! Laws 1 and 5 across restarts and handles: which data survives a restart, and which data several
//! handles share.

use super::sample::{append_one, everything_after, head, keyed, raise, say, window};
use super::{EPOCH, Harness, ManualClock};
use crate::{AppendError, EventStore, Outcome};
use northgate_domain::{AlertQuery, Epoch, MessageQuery, Position};
use std::time::Duration;
use tokio::time::timeout;

/// Upper bound of each wait. A store that obeys the law is much faster.
const PATIENCE: Duration = Duration::from_secs(20);

/// A durable store must contain the same data after it is opened again: the log with its epoch,
/// alerts, messages, counts and idempotency keys. A store that is not durable must return false
/// from `is_durable` and start empty.
pub async fn a_durable_store_is_the_same_after_a_restart(harness: &dyn Harness) {
    let factory = harness.factory(window(100));
    let clock = ManualClock::counting();
    let store = factory.open(clock.meta(), EPOCH).await.unwrap();
    let fire = append_one(store.as_ref(), keyed(raise("fire"), "alerts", "k")).await;
    append_one(store.as_ref(), say("seen")).await;
    let before = seen(store.as_ref()).await;
    let is_durable = store.is_durable();
    store.close().await;
    drop(store);

    let again = factory.open(clock.meta(), Epoch::new(EPOCH.get() + 1)).await.unwrap();
    if !is_durable {
        assert_eq!(
            head(again.as_ref()).offset,
            0,
            "the store is not durable, but is not empty after a restart"
        );
        return;
    }
    assert_eq!(seen(again.as_ref()).await, before);
    assert_eq!(
        head(again.as_ref()).epoch,
        EPOCH,
        "the store changed the epoch of an existing log at a restart"
    );
    let retry = append_one(again.as_ref(), keyed(raise("fire"), "alerts", "k")).await;
    let (Outcome::Appended { event: first, .. }, Outcome::Replayed(replayed)) = (fire, retry)
    else {
        panic!("the store forgot an idempotency key at a restart")
    };
    let Outcome::Appended { event, .. } = replayed.into() else {
        panic!("the store did not replay the first outcome after a restart")
    };
    assert_eq!(event, first);
    let next = append_one(again.as_ref(), say("and on")).await;
    let Outcome::Appended { event, .. } = next else {
        panic!("the store did not append after a restart but returned {next:?}")
    };
    assert_eq!(event.position.offset, 3);
}

/// Returns everything that a store shows, as text.
async fn seen(store: &dyn EventStore) -> String {
    let start = Position::start(head(store).epoch);
    format!(
        "{:?} {:?} {:?} {:?}",
        everything_after(store, start).await,
        store.alerts(AlertQuery::newest(100)).await.unwrap(),
        store.messages(MessageQuery::newest(100)).await.unwrap(),
        store.summary().await.unwrap(),
    )
}

/// Two handles of a shared store must append to one log: each handle must show the events of the
/// other, and remember the keys that were used through the other. A durable store that is not
/// shared must refuse a second handle while the first is open.
pub async fn handles_of_a_shared_store_see_one_log(harness: &dyn Harness) {
    let factory = harness.factory(window(10_000));
    let clock = ManualClock::counting();
    let one = factory.open(clock.meta(), EPOCH).await.unwrap();
    if !harness.is_shared() {
        let second = factory.open(clock.meta(), EPOCH).await;
        assert!(
            second.is_err() || !one.is_durable(),
            "the store is durable and not shared, but was opened twice at the same time"
        );
        return;
    }
    let other = factory.open(clock.meta(), Epoch::new(EPOCH.get() + 1)).await.unwrap();
    let write = async |store: &dyn EventStore| {
        for n in 0..50 {
            append_one(store, raise(&n.to_string())).await;
        }
    };
    tokio::join!(write(one.as_ref()), write(other.as_ref()));
    for store in [&one, &other] {
        let mut head = store.head();
        let reached = head.wait_for(|head| head.offset >= 100);
        let reached = *timeout(PATIENCE, reached)
            .await
            .expect("a handle did not show the events of the other handle in time")
            .unwrap();
        assert_eq!(everything_after(store.as_ref(), Position::start(EPOCH)).await.len(), 100);
        assert_eq!(reached.epoch, EPOCH);
    }
    append_one(one.as_ref(), keyed(raise("fire"), "alerts", "k")).await;
    let again = append_one(other.as_ref(), keyed(raise("fire"), "alerts", "k")).await;
    assert!(
        matches!(again, Outcome::Replayed(_)),
        "a handle did not know a key that was used through the other: {again:?}"
    );
}

/// An append that returns `Unavailable` must have stored nothing. A store that fails so late that
/// it cannot know what was stored must return `OutcomeUnknown`. After a retry with the same key,
/// the event must be stored exactly once.
pub async fn an_unavailable_append_has_stored_nothing(harness: &dyn Harness) {
    let store = super::sample::open(harness, window(100)).await;
    append_one(store.as_ref(), raise("before")).await;
    if !harness.fail_next_append(&store) {
        // The harness cannot make this store fail, so this law has nothing to check.
        return;
    }
    let failed = store.append(vec![keyed(raise("lost?"), "alerts", "k")]).await;
    let again = async {
        loop {
            match store.append(vec![keyed(raise("lost?"), "alerts", "k")]).await {
                Ok(mut outcomes) => return outcomes.remove(0),
                Err(AppendError::Rejected { .. }) => {
                    panic!("the store rejected a retry of the same command")
                }
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let again = timeout(PATIENCE, again).await.expect("the store did not accept a retry in time");
    match failed {
        Err(AppendError::Unavailable) => {
            assert!(
                matches!(again, Outcome::Appended { .. }),
                "the append returned Unavailable, but its event was stored"
            );
        }
        Err(AppendError::OutcomeUnknown) => {}
        other => panic!("the append did not return the injected failure but {other:?}"),
    }
    let start = Position::start(head(store.as_ref()).epoch);
    assert_eq!(
        everything_after(store.as_ref(), start).await.len(),
        2,
        "the retried event was not stored exactly once"
    );
}
