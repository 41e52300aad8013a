//! Laws 1 and 5 across handles: what survives a restart, and what several writers share.

use super::sample::{append_one, everything_after, head, keyed, raise, say, window};
use super::{EPOCH, Harness, ManualClock};
use crate::{AppendError, EventStore, Outcome};
use northgate_domain::{AlertQuery, Epoch, MessageQuery, Position};
use std::time::Duration;
use tokio::time::timeout;

/// Never waited for by a test that passes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Everything of a durable store is there when it is opened again: the log with its name, states,
/// messages, counts and keys. A store that is not durable says so, and begins anew.
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
        assert_eq!(head(again.as_ref()).offset, 0, "nothing survives a store that is not durable");
        return;
    }
    assert_eq!(seen(again.as_ref()).await, before);
    assert_eq!(head(again.as_ref()).epoch, EPOCH, "an old log keeps its name");
    let retry = append_one(again.as_ref(), keyed(raise("fire"), "alerts", "k")).await;
    let (Outcome::Appended { event: first, .. }, Outcome::Replayed(replayed)) = (fire, retry)
    else {
        panic!("a key outlives a restart")
    };
    let Outcome::Appended { event, .. } = replayed.into() else { panic!("the first answer") };
    assert_eq!(event, first);
    let next = append_one(again.as_ref(), say("and on")).await;
    let Outcome::Appended { event, .. } = next else { panic!("{next:?}") };
    assert_eq!(event.position.offset, 3);
}

/// Everything that can be seen of a store, in words.
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

/// Two handles on a shared store append to one log: each sees the other's events, and a key that
/// was used through one is known to the other. A durable store that is not shared refuses a second
/// handle while the first is open.
pub async fn handles_of_a_shared_store_see_one_log(harness: &dyn Harness) {
    let factory = harness.factory(window(10_000));
    let clock = ManualClock::counting();
    let one = factory.open(clock.meta(), EPOCH).await.unwrap();
    if !harness.is_shared() {
        let second = factory.open(clock.meta(), EPOCH).await;
        assert!(second.is_err() || !one.is_durable(), "two writers would break the log");
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
        let whole = head.wait_for(|head| head.offset >= 100);
        let whole = *timeout(PATIENCE, whole).await.expect("it hears of the others").unwrap();
        assert_eq!(everything_after(store.as_ref(), Position::start(EPOCH)).await.len(), 100);
        assert_eq!(whole.epoch, EPOCH);
    }
    append_one(one.as_ref(), keyed(raise("fire"), "alerts", "k")).await;
    let again = append_one(other.as_ref(), keyed(raise("fire"), "alerts", "k")).await;
    assert!(matches!(again, Outcome::Replayed(_)), "{again:?}");
}

/// An append that is answered `Unavailable` has stored nothing. A store that failed so late that it
/// cannot know says `OutcomeUnknown`, and a retry with the key finds out.
pub async fn an_unavailable_append_has_stored_nothing(harness: &dyn Harness) {
    let store = super::sample::open(harness, window(100)).await;
    append_one(store.as_ref(), raise("before")).await;
    if !harness.fail_next_append(&store) {
        // The harness cannot make this store fail: nothing to be seen from outside.
        return;
    }
    let failed = store.append(vec![keyed(raise("lost?"), "alerts", "k")]).await;
    let again = async {
        loop {
            match store.append(vec![keyed(raise("lost?"), "alerts", "k")]).await {
                Ok(mut outcomes) => return outcomes.remove(0),
                Err(AppendError::Rejected { .. }) => panic!("the same command"),
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let again = timeout(PATIENCE, again).await.expect("the store recovers");
    match failed {
        Err(AppendError::Unavailable) => {
            assert!(matches!(again, Outcome::Appended { .. }), "it was stored all the same");
        }
        Err(AppendError::OutcomeUnknown) => {}
        other => panic!("the append was to fail: {other:?}"),
    }
    let start = Position::start(head(store.as_ref()).epoch);
    assert_eq!(everything_after(store.as_ref(), start).await.len(), 2, "once, in any case");
}
