//! Repeats of alerts: which alert a repeat counts for, and which position its outcome contains.

use super::Harness;
use super::lives::{act, alert_of, all, keyed, raise, raising};
use super::sample::{append, append_one, keyed as named, open, window};
use crate::{EventStore, Outcome, RecordedOutcome, Submission};
use northgate_domain::{Action, AlertId, Command, MessageText, PostMessage, Sender};
use tokio::task::JoinSet;

/// A repeat must count for the unresolved alert with its dedup key; if there are two, for the alert
/// that was raised last. The store must apply earlier submissions of the same vector first.
pub async fn a_repeat_counts_for_the_newest_unresolved_alert_of_its_key(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    let store = store.as_ref();
    let first = raise(store, keyed("Fire", "k")).await.alert.id;
    let other = raise(store, keyed("Flood", "l")).await.alert.id;
    assert_eq!(raise(store, keyed("Fire", "k")).await.alert.id, first);
    assert_ne!(raise(store, raising("Fire")).await.alert.id, first);

    append(store, act(first, Action::Resolve, "Anna")).await;
    let second = raise(store, keyed("Fire", "k")).await.alert;
    assert_ne!(second.id, first);
    assert_eq!(second.count, 1);
    // Both alerts are unresolved, so the next repeat counts for the alert that was raised last.
    append(store, act(first, Action::Reopen, "Anna")).await;
    assert_eq!(raise(store, keyed("Fire", "k")).await.alert.id, second.id);
    append(store, act(second.id, Action::Resolve, "Anna")).await;
    assert_eq!(raise(store, keyed("Fire", "k")).await.alert.id, first);
    assert_eq!(raise(store, keyed("Flood", "l")).await.alert.id, other);

    let again = || Submission::from(Command::RaiseAlert(keyed("Fire", "k")));
    let new = || Submission::from(Command::RaiseAlert(keyed("Storm", "m")));
    let vector = vec![act(first, Action::Resolve, "Anna"), again(), again(), new(), new()];
    let outcomes = store.append(vector).await.unwrap();
    let alerts: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Appended { event, .. } => alert_of(event),
            other => panic!("append did not store an event but returned {other:?}"),
        })
        .collect();
    assert_ne!(alerts[1].alert.id, first);
    assert_eq!(alerts[1].alert.id, alerts[2].alert.id);
    assert_eq!(alerts[3].alert.id, alerts[4].alert.id);
    let counts: Vec<_> = alerts.iter().map(|event| event.alert.count).collect();
    assert_eq!(counts, [3, 1, 2, 1, 2]);
}

/// Every outcome, also a replayed one, must contain the position at which its alert was raised. For
/// an event that raises an alert or belongs to no alert, this is the event's own position.
pub async fn an_outcome_contains_the_position_of_the_raise(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    let store = store.as_ref();
    let again = || Submission::from(Command::RaiseAlert(keyed("Fire", "k")));
    let id = raise(store, keyed("Fire", "k")).await.alert.id;
    let acknowledge = named(act(id, Action::Acknowledge, "Anna"), "actions", "a");
    let thread = Command::PostMessage(PostMessage {
        sender: Sender::parse("Anna").unwrap(),
        message: MessageText::parse("hot").unwrap(),
        alert_id: Some(id),
    });
    let mut alone = Vec::new();
    for submission in [
        again(),
        acknowledge.clone(),
        acknowledge,
        act(id, Action::Acknowledge, "Ben"),
        thread.into(),
        act(id, Action::Resolve, "Ben"),
        again(),
        again(),
    ] {
        alone.push(append_one(store, submission).await);
    }
    append(store, act(raised_last(store).await, Action::Resolve, "Ben")).await;
    let outcomes = store.append(vec![again(), again(), again()]).await.unwrap();
    let places = |outcomes: Vec<Outcome>| -> Vec<_> {
        let place = |outcome| match outcome {
            Outcome::Appended { event, raised }
            | Outcome::Replayed(RecordedOutcome::Appended { event, raised }) => {
                (event.position.offset, raised.offset)
            }
            Outcome::Unchanged(alert) | Outcome::Replayed(RecordedOutcome::Unchanged(alert)) => {
                (0, alert.position.offset)
            }
        };
        outcomes.into_iter().map(place).collect()
    };
    assert_eq!(places(alone), [(2, 1), (3, 1), (3, 1), (0, 1), (4, 4), (5, 1), (6, 6), (7, 6)]);
    assert_eq!(places(outcomes), [(9, 9), (10, 9), (11, 9)]);
}

async fn raised_last(store: &dyn EventStore) -> AlertId {
    all(store).await.last().unwrap().value.id
}

/// Concurrent raises with one dedup key must create one alert that counts all of them.
pub async fn concurrent_repeats_create_one_alert_and_all_count(harness: &dyn Harness) {
    let store = open(harness, window(1_000)).await;
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let store = store.clone();
        tasks.spawn(async move { raise(store.as_ref(), keyed("Fire", "k")).await.alert.count });
    }
    let mut counts = tasks.join_all().await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=100).collect::<Vec<_>>());
    assert_eq!(all(store.as_ref()).await.len(), 1);
}
