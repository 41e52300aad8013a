//! Law 1, *Kept*: an appended event is visible in every read and query.

use super::Harness;
use super::sample::{
    Lockstep, append, everything_after, have_ended, head, open, raise, say, window,
};
use northgate_domain::{AlertEvent, AlertId, AlertQuery, Event, MessageQuery, Revision};
use uuid::Uuid;

/// When `append` returns, the head must have moved, and reads, collections and `alert` must show
/// the event.
pub async fn an_appended_event_is_visible_in_every_query(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    let start = head(store.as_ref());
    assert_eq!(start.offset, 0, "the head of an empty log is not at offset 0");

    let raised = append(store.as_ref(), raise("fire")).await;
    assert_eq!(head(store.as_ref()), raised.position);
    let said = append(store.as_ref(), say("seen")).await;
    assert_eq!(head(store.as_ref()), said.position);

    let Event::Alert(AlertEvent { alert, .. }) = &raised.value else {
        panic!("append of a raise did not return an alert event")
    };
    assert_eq!(alert.revision, Revision::FIRST);
    let Event::Chat(chat) = &said.value else {
        panic!("append of a message did not return a chat event")
    };
    let shown = store.alert(alert.id).await.unwrap().unwrap();
    assert_eq!((shown.position, &shown.value), (raised.position, alert));
    assert_eq!(store.alert(AlertId(Uuid::nil())).await.unwrap(), None);
    let alerts = store.alerts(AlertQuery::newest(10)).await.unwrap();
    assert_eq!(alerts.items, vec![shown]);
    let messages = store.messages(MessageQuery::newest(10)).await.unwrap();
    assert_eq!(messages.items.len(), 1);
    assert_eq!((messages.items[0].position, &messages.items[0].value), (said.position, chat));
    assert_eq!(everything_after(store.as_ref(), start).await, vec![raised, said]);
}

/// Each collection states a position, and must contain exactly the items that result from the
/// events up to this position.
pub async fn collections_contain_exactly_the_events_up_to_their_position(harness: &dyn Harness) {
    let store = open(harness, window(10_000)).await;
    let start = head(store.as_ref());
    let lockstep = Lockstep::new();
    let writer = {
        let (store, lockstep) = (store.clone(), lockstep.clone());
        async move {
            for n in 0..500 {
                lockstep.before_append().await;
                append(store.as_ref(), raise(&n.to_string())).await;
                append(store.as_ref(), say(&n.to_string())).await;
            }
        }
    };
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(writer);
    let mut last = start;
    while !have_ended(&mut tasks) || last.offset < 1_000 {
        let alerts = store.alerts(AlertQuery::newest(usize::MAX)).await.unwrap();
        assert_eq!(alerts.items.len() as u64, alerts.position.offset.div_ceil(2));
        let messages = store.messages(MessageQuery::newest(usize::MAX)).await.unwrap();
        assert_eq!(messages.items.len() as u64, messages.position.offset / 2);
        assert!(
            messages.position.offset >= alerts.position.offset,
            "a later query returned an earlier position"
        );
        last = messages.position;
        lockstep.after_round().await;
    }
}
