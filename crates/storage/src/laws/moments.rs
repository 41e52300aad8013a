//! Law 4, *Honest*: each page of a history shows one state of the store. A second law covers the
//! query for the events of one alert.

use super::Harness;
use super::lives::{act, raise, raising};
use super::sample::{Lockstep, append, have_ended, head, open, say, window};
use northgate_domain::{
    Action, AlertEvent, AlertId, AlertQuery, Event, HistoryPage, HistoryRange, Position, StatusKind,
};
use uuid::Uuid;

const ALERTS: usize = 12;
const TURNS: usize = 150;

/// While alerts change between two statuses, a page of both statuses must contain every alert
/// exactly once. The sum of the revisions must equal the offset of the page's position, because
/// each event increases one revision by one. Otherwise the store mixed two states.
pub async fn a_history_page_shows_one_state_of_the_store(harness: &dyn Harness) {
    let store = open(harness, window(100_000)).await;
    let mut ids = Vec::new();
    for n in 0..ALERTS {
        ids.push(raise(store.as_ref(), raising(&n.to_string())).await.alert.id);
    }
    let lockstep = Lockstep::new();
    let writer = {
        let (store, lockstep) = (store.clone(), lockstep.clone());
        async move {
            for turn in 0..TURNS {
                let action =
                    if turn % 2 == 0 { Action::Acknowledge } else { Action::Unacknowledge };
                for id in &ids {
                    lockstep.before_append().await;
                    append(store.as_ref(), act(*id, action, "Anna")).await;
                }
            }
        }
    };
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(writer);
    let statuses = vec![StatusKind::Open, StatusKind::Acknowledged];
    let query = AlertQuery { statuses, ..AlertQuery::newest(100) };
    while !have_ended(&mut tasks) {
        let page = store.alerts(query.clone()).await.unwrap();
        let offsets: Vec<_> = page.items.iter().map(|alert| alert.position.offset).collect();
        assert_eq!(
            offsets,
            (1..=ALERTS as u64).collect::<Vec<_>>(),
            "the page does not contain every alert once and in order: it mixes two states"
        );
        let events: u64 = page.items.iter().map(|alert| alert.value.revision.get()).sum();
        assert_eq!(
            events, page.position.offset,
            "the page does not reflect exactly the events up to its position"
        );
        lockstep.after_round().await;
    }
}

fn offsets(page: &HistoryPage<Event>) -> Vec<u64> {
    page.items.iter().map(|event| event.position.offset).collect()
}

/// `alert_events` must return the retained events of one alert, and of no other alert, in pages.
pub async fn alert_events_returns_the_events_of_one_alert_only(harness: &dyn Harness) {
    let store = open(harness, window(12)).await;
    let store = store.as_ref();
    let fire = raise(store, raising("fire")).await.alert.id;
    let flood = raise(store, raising("flood")).await.alert.id;
    append(store, act(fire, Action::Acknowledge, "Anna")).await;
    append(store, say("on my way")).await;
    append(store, act(flood, Action::Resolve, "Ben")).await;
    append(store, act(fire, Action::Resolve, "Anna")).await;
    append(store, act(fire, Action::Reopen, "Anna")).await;

    let all = store.alert_events(fire, HistoryRange::newest(10)).await.unwrap();
    assert_eq!((offsets(&all), all.position), (vec![1, 3, 6, 7], head(store)));
    assert!(!all.has_older && !all.has_newer);
    for event in &all.items {
        let Event::Alert(AlertEvent { alert, .. }) = &event.value else {
            panic!("alert_events returned a chat event: {event:?}")
        };
        assert_eq!(alert.id, fire);
    }
    let newest = store.alert_events(fire, HistoryRange::newest(2)).await.unwrap();
    assert_eq!((offsets(&newest), newest.has_older, newest.has_newer), (vec![6, 7], true, false));
    let after = Some(Position { offset: 1, ..head(store) });
    let range = HistoryRange { after, ..HistoryRange::newest(2) };
    let next = store.alert_events(fire, range).await.unwrap();
    assert_eq!((offsets(&next), next.has_older, next.has_newer), (vec![3, 6], true, true));

    let Event::Alert(AlertEvent { alert, .. }) = &all.items[2].value else { panic!() };
    let since = HistoryRange { since: Some(alert.updated_at), ..HistoryRange::newest(10) };
    let until = HistoryRange { until: Some(alert.updated_at), ..HistoryRange::newest(10) };
    assert_eq!(
        offsets(&store.alert_events(fire, since).await.unwrap()),
        [6, 7],
        "alert_events did not obey `since`"
    );
    assert_eq!(
        offsets(&store.alert_events(fire, until).await.unwrap()),
        [1, 3],
        "alert_events did not obey `until`"
    );

    let nobody = AlertId(Uuid::max());
    assert!(store.alert_events(nobody, HistoryRange::newest(9)).await.unwrap().items.is_empty());
    // Trimmed events must be omitted.
    for _ in 0..10 {
        append(store, say("meanwhile")).await;
    }
    let retained = store.alert_events(fire, HistoryRange::newest(9)).await.unwrap();
    assert_eq!(offsets(&retained), [6, 7]);
}
