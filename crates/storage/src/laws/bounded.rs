//! Law 8, *Bounded*: the log is a window of retained events, alerts and messages outlive their
//! events, and each kind of data has its own bound.

use super::Harness;
use super::sample::{append, open, raise, say, window};
use crate::Capacity;
use northgate_domain::{AlertEvent, AlertQuery, Event, MessageQuery};
use std::num::NonZeroUsize;

/// Alerts and messages whose events were trimmed must still be returned, with their original
/// positions.
pub async fn alerts_and_messages_outlive_their_trimmed_events(harness: &dyn Harness) {
    let store = open(harness, window(2)).await;
    let raised = append(store.as_ref(), raise("first alert")).await;
    let said = append(store.as_ref(), say("first words")).await;
    for n in 0..50 {
        append(store.as_ref(), raise(&format!("later {n}"))).await;
    }
    let Event::Alert(AlertEvent { alert, .. }) = raised.value else {
        panic!("append of a raise did not return an alert event")
    };
    let shown = store.alert(alert.id).await.unwrap().unwrap();
    assert_eq!((shown.position, &shown.value), (raised.position, &alert));
    let alerts = store.alerts(AlertQuery::newest(1_000)).await.unwrap();
    assert_eq!(alerts.items.len(), 51);
    assert_eq!(alerts.items[0], shown);
    let messages = store.messages(MessageQuery::newest(1_000)).await.unwrap();
    assert_eq!(messages.items[0].position, said.position);
}

/// A burst of chat messages must not evict alerts, and must not exceed the capacity of messages.
pub async fn a_burst_of_chat_evicts_no_alert(harness: &dyn Harness) {
    let capacity = Capacity { messages: NonZeroUsize::new(5).unwrap(), ..window(20) };
    let store = open(harness, capacity).await;
    for n in 0..8 {
        append(store.as_ref(), raise(&format!("alert {n}"))).await;
    }
    for n in 0..200 {
        append(store.as_ref(), say(&format!("chat {n}"))).await;
    }
    assert_eq!(store.alerts(AlertQuery::newest(100)).await.unwrap().items.len(), 8);
    let messages = store.messages(MessageQuery::newest(100)).await.unwrap().items;
    let texts: Vec<_> = messages.iter().map(|message| message.value.message.as_str()).collect();
    assert_eq!(texts, ["chat 195", "chat 196", "chat 197", "chat 198", "chat 199"]);
}

/// A query with `newest(n)` must return the newest items in rising order: at most `n`, and no more
/// than the capacity.
pub async fn newest_returns_the_newest_items_in_rising_order(harness: &dyn Harness) {
    let capacity = Capacity { alerts: NonZeroUsize::new(6).unwrap(), ..window(100) };
    let store = open(harness, capacity).await;
    for n in 0..10 {
        append(store.as_ref(), raise(&n.to_string())).await;
        append(store.as_ref(), say(&n.to_string())).await;
    }
    let alerts = store.alerts(AlertQuery::newest(3)).await.unwrap().items;
    let texts: Vec<_> = alerts.iter().map(|alert| alert.value.message.as_str()).collect();
    assert_eq!(texts, ["7", "8", "9"]);
    assert_eq!(store.alerts(AlertQuery::newest(100)).await.unwrap().items.len(), 6);
    assert_eq!(store.alerts(AlertQuery::newest(0)).await.unwrap().items, vec![]);
    assert_eq!(store.messages(MessageQuery::newest(4)).await.unwrap().items.len(), 4);
}
