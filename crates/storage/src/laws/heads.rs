//! Laws 4 and 10, *Honest* and *Monotone*: which positions the head shows, and which receivers a
//! move of the head wakes.

use super::Harness;
use super::sample::{Lockstep, append, have_ended, head, open, raise, say, window};
use crate::{EventStore, Outcome, ReadFrom};
use northgate_domain::{AlertQuery, MessageQuery, Position};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

const WRITERS: usize = 4;
const APPENDS: usize = 300;
/// Upper bound of each wait. A store that obeys the law is much faster.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts four writers.
fn writers(store: &Arc<dyn EventStore>, lockstep: &Lockstep) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for _ in 0..WRITERS {
        let (store, lockstep) = (store.clone(), lockstep.clone());
        tasks.spawn(async move {
            for n in 0..APPENDS {
                lockstep.before_append().await;
                let vector = vec![raise(&n.to_string()), say(&n.to_string())];
                let outcomes = store.append(vector).await.unwrap();
                let last = match outcomes.last().unwrap() {
                    Outcome::Appended { event, .. } => event.position,
                    other => panic!("append did not store an event but returned {other:?}"),
                };
                assert!(
                    head(store.as_ref()).offset >= last.offset,
                    "append returned before the head reached its last event"
                );
            }
        });
    }
    tasks
}

/// Under concurrent appends the head must never move backwards, and must end at the newest event.
pub async fn the_head_never_moves_backwards(harness: &dyn Harness) {
    let store = open(harness, window(100_000)).await;
    let lockstep = Lockstep::new();
    let mut tasks = writers(&store, &lockstep);
    let (mut watched, mut last) = (store.head(), head(store.as_ref()));
    let mut see = |position: Position| {
        assert!(
            position.offset >= last.offset,
            "the head moved backwards from {} to {}",
            last.offset,
            position.offset
        );
        last = position;
    };
    while !have_ended(&mut tasks) {
        see(*watched.borrow_and_update());
        see(head(store.as_ref()));
        lockstep.after_round().await;
    }
    assert_eq!(head(store.as_ref()).offset, (WRITERS * APPENDS * 2) as u64);
}

/// No read or query may show an event or a state beyond the head. The test reads the head after
/// each result: no offset in the result may be greater than this head.
pub async fn no_query_shows_events_beyond_the_head(harness: &dyn Harness) {
    let store = open(harness, window(100_000)).await;
    let lockstep = Lockstep::new();
    let mut tasks = writers(&store, &lockstep);
    let assert_shown = |shown: u64| {
        let head = head(store.as_ref()).offset;
        assert!(shown <= head, "a result shows offset {shown}, but the head is at {head}");
    };
    while !have_ended(&mut tasks) {
        let after = ReadFrom::After(head(store.as_ref()));
        let events = store.read(after, 100).await.unwrap();
        assert_shown(events.last().map_or(0, |event| event.position.offset));
        let alerts = store.alerts(AlertQuery::newest(1)).await.unwrap();
        assert_shown(
            alerts
                .position
                .offset
                .max(alerts.items[..].last().map_or(0, |alert| alert.position.offset)),
        );
        let messages = store.messages(MessageQuery::newest(1)).await.unwrap();
        assert_shown(messages.items.last().map_or(0, |message| message.position.offset));
        assert_shown(store.summary().await.unwrap().position.offset);
        lockstep.after_round().await;
    }
}

/// Every move of the head must wake the waiting receivers and show them the new position.
pub async fn every_move_of_the_head_wakes_its_receivers(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    for n in 0..20 {
        let mut waiting = store.head();
        let event = append(store.as_ref(), raise(&n.to_string())).await;
        timeout(PATIENCE, waiting.changed())
            .await
            .expect("the store did not wake a receiver of the head")
            .unwrap();
        assert_eq!(*waiting.borrow(), event.position);
    }
}

/// In a new receiver, the first position must be marked as seen: only a later position counts as a
/// change.
pub async fn a_new_receiver_of_the_head_has_no_pending_change(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    for n in 0..3 {
        let fresh = store.head();
        assert!(!fresh.has_changed().unwrap(), "a new receiver of the head has a pending change");
        append(store.as_ref(), raise(&n.to_string())).await;
        assert!(fresh.has_changed().unwrap());
    }
}
