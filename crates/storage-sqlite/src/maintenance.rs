//! Tests of the writer's maintenance, which removes old events and detects that a failed disk
//! recovered.

use crate::health::StoreHealth;
use crate::writer::commit;
use crate::{Options, SqliteStore, check};
use northgate_domain::{AlertQuery, Command, Epoch, Location, MessageText, Position, RaiseAlert};
use northgate_storage::laws::ManualClock;
use northgate_storage::{
    AppendError, EventLog, EventStore, ReadError, ReadFrom, ReadModel, Submission, next_page,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Timeout of a wait: many times the expected duration.
const SOON: Duration = Duration::from_secs(30);

fn raise(message: &str) -> Submission {
    let message = MessageText::parse(message).unwrap();
    let location = Location::parse("North Gate").unwrap();
    Submission::from(Command::RaiseAlert(RaiseAlert::new(message, location)))
}

/// Waits until all events up to `offset` are trimmed.
async fn trimmed_to(store: &SqliteStore, offset: u64) {
    let trimmed = async {
        let start = Position::start(Epoch::new(7));
        loop {
            match store.read(ReadFrom::After(start), 1).await {
                Err(ReadError::Gap { oldest, .. }) if oldest.offset >= offset => break,
                _ => sleep(Duration::from_millis(5)).await,
            }
        }
    };
    timeout(SOON, trimmed).await.expect("trimmed in time");
}

/// Counts the retained events.
async fn events_held(store: &SqliteStore) -> usize {
    let mut held = 0;
    let mut next = Position::start(Epoch::new(7));
    loop {
        let page = next_page(store, next).await.unwrap();
        if page.events.is_empty() {
            return held;
        }
        (held, next) = (held + page.events.len(), page.next);
    }
}

#[tokio::test]
async fn old_events_are_removed_and_their_alerts_stay() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(0);
    let options = Options { retain_for: Duration::from_hours(1), ..Options::new(Epoch::new(7)) };
    let store = SqliteStore::open(folder.path(), &options, clock.meta()).unwrap();
    let hour = 3_600_000_000;
    store.append((0..2_500).map(|n| raise(&n.to_string())).collect()).await.unwrap();
    clock.set(hour / 2);
    store.append((0..10).map(|_| raise("younger")).collect()).await.unwrap();

    // No event is old enough yet.
    clock.set(hour);
    assert_eq!(events_held(&store).await, 2_510);
    clock.set(hour + 1);
    trimmed_to(&store, 2_500).await;
    let held = Position { epoch: Epoch::new(7), offset: 2_500 };
    assert_eq!(store.read(ReadFrom::After(held), 100).await.unwrap().len(), 10);

    // The newest event stays at any age, because it defines the head of the log.
    clock.set(hour * 9);
    trimmed_to(&store, 2_509).await;
    assert_eq!(store.head().borrow().offset, 2_510);
    let alerts = store.alerts(AlertQuery::newest(10_000)).await.unwrap();
    assert_eq!(alerts.items.len(), 2_510);
    store.close().await;
    assert_eq!(check(folder.path()).unwrap().events, 1);
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_removes_no_event() {
    let (hour, day) = (3_600_000_000, 24 * 3_600_000_000);
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(0);
    let options = Options { retain_for: Duration::from_hours(48), ..Options::new(Epoch::new(7)) };
    let open = || SqliteStore::open(folder.path(), &options, clock.meta()).unwrap();
    let store = open();
    store.append((0..100).map(|n| raise(&n.to_string())).collect()).await.unwrap();
    clock.jump_by(1_000 * day);
    // Both an append and the maintenance, which runs once per second, would remove due events.
    store.append(vec![raise("meanwhile")]).await.unwrap();
    sleep(Duration::from_millis(1_500)).await;
    assert_eq!(events_held(&store).await, 101);
    store.close().await;
    // A restart removes nothing either, because the store cannot know how long it was stopped.
    clock.jump_by(1_000 * day);
    let store = open();
    sleep(Duration::from_millis(1_500)).await;
    assert_eq!(events_held(&store).await, 101);
    // After an hour the store trusts the clock.
    clock.set(hour);
    trimmed_to(&store, 100).await;
    store.close().await;
}

#[tokio::test]
async fn a_failed_disk_is_reported_and_recovers_without_an_append() {
    let folder = tempfile::tempdir().unwrap();
    let broken = Arc::new(AtomicBool::new(false));
    let disk = broken.clone();
    let options = Options::new(Epoch::new(7));
    let clock = ManualClock::at(0);
    let store = SqliteStore::open_with(
        folder.path(),
        &options,
        clock.meta(),
        Box::new(move |connection| {
            if disk.load(Ordering::Relaxed) {
                return Err(rusqlite::Error::InvalidQuery);
            }
            commit(connection)
        }),
    )
    .unwrap();
    let mut health = store.health();
    store.append(vec![raise("before")]).await.unwrap();
    assert_eq!(*health.borrow(), StoreHealth::Keeping);
    broken.store(true, Ordering::Relaxed);
    assert_eq!(store.append(vec![raise("lost")]).await, Err(AppendError::OutcomeUnknown));
    assert_eq!(*health.borrow(), StoreHealth::Failing);
    assert_eq!(store.alerts(AlertQuery::newest(9)).await.unwrap().items.len(), 1);
    broken.store(false, Ordering::Relaxed);
    let keeping = health.wait_for(|health| *health == StoreHealth::Keeping);
    timeout(SOON, keeping).await.unwrap().unwrap();
    store.append(vec![raise("after")]).await.unwrap();
    assert_eq!(store.head().borrow().offset, 2);
}
