//! Law 4, *Honest*: each page of a history shows one state of the store. Two more laws cover the
//! query for the events of one alert.

use super::Harness;
use super::lives::{act, raise, raising};
use super::sample::{Lockstep, append, have_ended, head, open, say, window};
use crate::{EventStore, QueryError};
use northgate_domain::{
    Action, Alert, AlertEvent, AlertId, AlertQuery, AlertTimeline, Event, HistoryPage,
    HistoryRange, Position, StatusKind,
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

/// While operators act on an alert and its oldest events are trimmed, the alert must be in the state
/// after the newest of its events, and the events must be contiguous.
pub async fn an_alert_and_its_events_show_one_state_of_the_store(harness: &dyn Harness) {
    const WINDOW: usize = 10;
    let store = open(harness, window(WINDOW)).await;
    let fire = raise(store.as_ref(), raising("fire")).await.alert.id;
    let lockstep = Lockstep::new();
    let writer = {
        let (store, lockstep) = (store.clone(), lockstep.clone());
        async move {
            for turn in 0..TURNS * 4 {
                let action =
                    if turn % 2 == 0 { Action::Acknowledge } else { Action::Unacknowledge };
                lockstep.before_append().await;
                append(store.as_ref(), act(fire, action, "Anna")).await;
            }
        }
    };
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(writer);
    while !have_ended(&mut tasks) {
        let AlertTimeline { alert, events, oldest } = timeline(store.as_ref(), fire, 100).await;
        let end = events.position.offset;
        assert_eq!(alert.value.revision.get(), end, "the alert is not as of the page's position");
        let newest = events.items.last().map(|event| alert_in(&event.value));
        assert_eq!(newest, Some(&alert.value), "the alert is not as after its newest event");
        let all: Vec<_> = (end.saturating_sub(WINDOW as u64) + 1..=end).collect();
        assert_eq!(offsets(&events), all, "the page lacks events, or repeats some");
        assert_eq!(oldest.as_ref(), events.items.first(), "the oldest event is another state's");
        lockstep.after_round().await;
    }
}

async fn timeline(store: &dyn EventStore, id: AlertId, limit: usize) -> AlertTimeline {
    ranged(store, id, HistoryRange::newest(limit)).await
}

async fn ranged(store: &dyn EventStore, id: AlertId, range: HistoryRange) -> AlertTimeline {
    store.alert_events(id, range).await.unwrap().expect("the store did not find the alert")
}

fn alert_in(event: &Event) -> &Alert {
    let Event::Alert(AlertEvent { alert, .. }) = event else {
        panic!("alert_events returned a chat event: {event:?}")
    };
    alert
}

fn offsets(page: &HistoryPage<Event>) -> Vec<u64> {
    page.items.iter().map(|event| event.position.offset).collect()
}

/// `alert_events` must return the current alert, and the retained events of this alert and of no
/// other, in pages. The oldest event must be the same for every page.
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

    let AlertTimeline { alert, events: all, oldest } = timeline(store, fire, 10).await;
    assert_eq!((offsets(&all), all.position), (vec![1, 3, 6, 7], head(store)));
    assert!(!all.has_older && !all.has_newer);
    assert!(all.items.iter().all(|event| alert_in(&event.value).id == fire));
    assert_eq!(Some(alert), store.alert(fire).await.unwrap());
    assert_eq!(oldest.as_ref(), all.items.first());
    let AlertTimeline { events: newest, oldest, .. } = timeline(store, fire, 2).await;
    assert_eq!((offsets(&newest), newest.has_older, newest.has_newer), (vec![6, 7], true, false));
    assert_eq!(oldest.as_ref(), all.items.first(), "`oldest` is the oldest event of the page");
    let at = |offset| Some(Position { offset, ..head(store) });
    let after = HistoryRange { after: at(1), ..HistoryRange::newest(2) };
    let next = ranged(store, fire, after).await.events;
    assert_eq!((offsets(&next), next.has_older, next.has_newer), (vec![3, 6], true, true));
    let before = HistoryRange { before: at(6), ..HistoryRange::newest(1) };
    let previous = ranged(store, fire, before).await.events;
    assert_eq!((offsets(&previous), previous.has_older, previous.has_newer), (vec![3], true, true));
    let first = HistoryRange { before: at(1), ..HistoryRange::newest(1) };
    let none = ranged(store, fire, first).await;
    assert_eq!((offsets(&none.events), none.events.has_older), (vec![], false));
    assert_eq!(none.oldest.as_ref(), all.items.first());

    let moment = Some(alert_in(&all.items[2].value).updated_at);
    let since = HistoryRange { since: moment, ..HistoryRange::newest(10) };
    let until = HistoryRange { until: moment, ..HistoryRange::newest(10) };
    let since = offsets(&ranged(store, fire, since).await.events);
    assert_eq!(since, [6, 7], "alert_events did not obey `since`");
    let until = offsets(&ranged(store, fire, until).await.events);
    assert_eq!(until, [1, 3], "alert_events did not obey `until`");

    let nobody = AlertId(Uuid::max());
    assert_eq!(store.alert_events(nobody, HistoryRange::newest(9)).await.unwrap(), None);
    let foreign = HistoryRange { before: at(8), ..HistoryRange::newest(9) };
    for id in [fire, nobody] {
        let beyond = store.alert_events(id, foreign).await;
        assert!(matches!(beyond, Err(QueryError::Foreign)), "{beyond:?}");
    }
    // Trimmed events must be omitted.
    for _ in 0..10 {
        append(store, say("meanwhile")).await;
    }
    let AlertTimeline { events, oldest, .. } = timeline(store, fire, 9).await;
    assert_eq!(offsets(&events), [6, 7]);
    assert_eq!(oldest.as_ref(), events.items.first());
    for _ in 0..10 {
        append(store, say("meanwhile")).await;
    }
    let AlertTimeline { alert, events, oldest } = timeline(store, fire, 9).await;
    assert_eq!((alert.value.id, offsets(&events), oldest), (fire, vec![], None));
}
