//! Tests that the durable store obeys every law of the ports, restores its data after a restart,
//! and refuses files that it must not change.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helper functions of tests may panic, as tests may"
)]

use northgate_domain::{
    Action, Alert, AlertQuery, Epoch, Event, MessageQuery, MetaSource, Position, Positioned,
};
use northgate_storage::laws::Harness;
use northgate_storage::{
    AppendError, Capacity, EventLog, EventStore, Outcome, ReadError, ReadFrom, ReadModel,
    RecordedOutcome, StoreFactory, Submission, Unavailable, event_store_laws,
};
use northgate_storage_sqlite::{OpenError, Options, SqliteFactory, SqliteStore, check};
use northgate_testkit::{ManualClock, act, alert_of, keyed, raise, say};
use parking_lot::Mutex;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Creates stores in temporary folders, which are removed with the harness.
#[derive(Default)]
struct OnDisk(Mutex<Vec<TempDir>>);

impl Harness for OnDisk {
    fn factory(&self, capacity: Capacity) -> Arc<dyn StoreFactory> {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { capacity, ..Options::new(Epoch::new(7)) };
        let factory = SqliteFactory::new(folder.path().to_owned(), options);
        self.0.lock().push(folder);
        Arc::new(factory)
    }
}

mod laws {
    use super::*;
    event_store_laws!(OnDisk::default());
}

fn counting_from(n: u64) -> MetaSource {
    ManualClock::counting_from(n, 1).meta()
}

fn open(folder: &Path, first_id: u64) -> Result<SqliteStore, OpenError> {
    // Only a new log uses this epoch.
    let options = Options::new(Epoch::new(first_id));
    SqliteStore::open(folder, &options, counting_from(first_id))
}

async fn append(store: &SqliteStore, submission: Submission) -> Outcome {
    store.append(vec![submission]).await.unwrap().remove(0)
}

fn appended(outcome: Outcome) -> Positioned<Event> {
    match outcome {
        Outcome::Appended { event, .. } => event,
        other => panic!("expected a new event, got {other:?}"),
    }
}

// Restart.

#[tokio::test]
async fn all_data_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("not/yet/there");
    let before = open(&data, 100).unwrap();
    let start = *before.head().borrow();
    let raised = appended(append(&before, keyed("k", raise("fire"))).await);
    let said = appended(append(&before, say("seen")).await);
    let head = *before.head().borrow();
    before.close().await;

    let after = open(&data, 200).unwrap();
    assert_eq!(*after.head().borrow(), head, "the epoch and the head come from the folder");
    let events = after.read(ReadFrom::After(start), 10).await;
    assert_eq!(events, Ok(vec![raised.clone(), said.clone()]));
    assert_eq!(after.read(ReadFrom::After(raised.position), 10).await, Ok(vec![said.clone()]));
    let alerts = after.alerts(AlertQuery::newest(10)).await.unwrap();
    assert_eq!((alerts.position, alerts.items.len()), (head, 1));
    let messages = after.messages(MessageQuery::newest(10)).await.unwrap();
    assert_eq!((messages.position, messages.items.len()), (head, 1));

    let again = append(&after, keyed("k", raise("fire"))).await;
    assert_eq!(
        again,
        Outcome::Replayed(RecordedOutcome::Appended { raised: raised.position, event: raised })
    );
    let reused = after.append(vec![keyed("k", raise("flood"))]).await;
    assert!(matches!(reused, Err(AppendError::Rejected { index: 0, .. })), "{reused:?}");
    let next = appended(append(&after, raise("later")).await);
    assert_eq!(next.position, head.advanced_by(1));
}

#[tokio::test]
async fn gaps_and_bounds_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let two = 2.try_into().unwrap();
    let capacity = Capacity { events: two, alerts: two, messages: two, keys: two };
    let options = Options { capacity, ..Options::new(Epoch::new(1)) };
    let mut first = 0;
    for _ in 0..3 {
        let store = SqliteStore::open(folder.path(), &options, counting_from(first)).unwrap();
        for n in first..first + 5 {
            append(&store, keyed(&n.to_string(), raise(&n.to_string()))).await;
        }
        first += 5;
        let latest = *store.head().borrow();
        assert_eq!(latest.offset, first);
        let oldest = Position { offset: first - 2, ..latest };
        let gap = Err(ReadError::Gap { oldest, latest });
        assert_eq!(store.read(ReadFrom::After(Position::start(latest.epoch)), 9).await, gap);
        assert_eq!(store.read(ReadFrom::After(oldest), 9).await.unwrap().len(), 2);
        assert_eq!(store.alerts(AlertQuery::newest(9)).await.unwrap().items.len(), 2);
        let forgotten = append(&store, keyed(&(first - 5).to_string(), raise("x"))).await;
        assert!(matches!(forgotten, Outcome::Appended { .. }), "{forgotten:?}");
        first += 1;
        store.close().await;
        assert_eq!(check(folder.path()).unwrap().events, 2);
    }
}

#[tokio::test]
async fn alerts_over_the_capacity_are_removed_in_batches() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new(Epoch::new(1));
    let capacity = Capacity { alerts: 768.try_into().unwrap(), ..options.capacity };
    let options = Options { capacity, ..options };
    let store = SqliteStore::open(folder.path(), &options, counting_from(0)).unwrap();
    store.append((0..768).map(|n| raise(&n.to_string())).collect()).await.unwrap();
    let mut held = Vec::new();
    for _ in 0..5 {
        append(&store, raise("one more")).await;
        held.push(store.alerts(AlertQuery::newest(1_000)).await.unwrap().items.len());
    }
    assert_eq!(held, [769, 770, 771, 768, 769]);
    store.close().await;
    check(folder.path()).unwrap();
}

#[tokio::test]
async fn no_open_alert_is_removed_before_all_resolved_alerts() {
    /// More alerts than one transaction removes.
    const RESOLVED: usize = 8_500;
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new(Epoch::new(1));
    let store = SqliteStore::open(folder.path(), &options, counting_from(0)).unwrap();
    store.append((0..10).map(|_| raise("open")).collect()).await.unwrap();
    let raised = store.append((0..RESOLVED).map(|_| raise("over")).collect()).await.unwrap();
    let resolve = |outcome| act(alert_of(outcome), Action::Resolve);
    store.append(raised.iter().map(resolve).collect()).await.unwrap();
    store.close().await;

    let capacity = Capacity { alerts: 100.try_into().unwrap(), ..options.capacity };
    let options = Options { capacity, ..options };
    let store = SqliteStore::open(folder.path(), &options, counting_from(100_000)).unwrap();
    let kept = async {
        loop {
            append(&store, say("one more")).await;
            let alerts = store.alerts(AlertQuery::newest(1_000)).await.unwrap().items;
            if alerts.len() == 100 {
                return alerts;
            }
        }
    };
    let kept = timeout(Duration::from_mins(1), kept).await.unwrap();
    let open = |alert: &&Positioned<Alert>| !alert.value.is_resolved();
    assert_eq!(kept.iter().filter(open).count(), 10);
    store.close().await;
    check(folder.path()).unwrap();
}

#[tokio::test]
async fn dropping_a_store_stores_all_pending_appends() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(folder.path(), 1).unwrap());
    let mut tasks = JoinSet::new();
    for n in 0..50 {
        let store = store.clone();
        tasks.spawn(async move { appended(append(&store, raise(&n.to_string())).await).position });
    }
    let answered = tasks.join_all().await.len() as u64;
    drop(store);
    assert_eq!(check(folder.path()).unwrap().events, answered);
    assert_eq!(open(folder.path(), 1_000).unwrap().head().borrow().offset, answered);
}

#[tokio::test]
async fn a_closed_store_refuses_appends_and_reads() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1).unwrap();
    append(&store, raise("fire")).await;
    store.close().await;
    store.close().await;
    assert_eq!(store.append(vec![raise("late")]).await, Err(AppendError::Unavailable));
    let head = *store.head().borrow();
    assert_eq!(store.read(ReadFrom::After(head), 1).await, Err(Unavailable.into()));
    assert!(open(folder.path(), 2).is_ok(), "the folder is free before the store is dropped");
}

// Folders and files that are refused.

/// Returns the bytes of the database and of its write-ahead log. A missing log counts as an empty
/// one. The `-shm` file is not compared, because SQLite can rebuild this file at any time.
fn files(folder: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = |name| fs::read(folder.join(name)).unwrap_or_default();
    ["northgate.db", "northgate.db-wal"].map(|name| (name, bytes(name))).to_vec()
}

fn refused(folder: &Path) -> String {
    let before = files(folder);
    let Err(error) = open(folder, 9) else { panic!("the folder was opened") };
    assert!(files(folder) == before, "the files were changed: {error}");
    let line = error.to_string();
    assert!(!line.contains('\n'), "the error has several lines: {line}");
    assert!(line.contains(folder.to_str().unwrap()), "the error names no path: {line}");
    line
}

/// Creates or changes a database as another program would.
fn database(folder: &Path, sql: &str) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(folder.join("northgate.db")).unwrap();
    connection.execute_batch(sql).unwrap();
    connection
}

#[tokio::test]
async fn a_folder_is_refused_while_another_store_uses_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1).unwrap();
    append(&store, raise("fire")).await;
    assert!(refused(folder.path()).contains("in use by another process"));
    append(&store, raise("still here")).await;
    drop(store);
    assert_eq!(open(folder.path(), 2).unwrap().head().borrow().offset, 2);
}

#[tokio::test]
async fn a_newer_database_is_refused_and_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 1).unwrap();
    append(&store, raise("fire")).await;
    drop(store);
    // The files of a killed server: only the write-ahead log contains the change.
    let killed = tempfile::tempdir().unwrap();
    let writer = database(folder.path(), "PRAGMA user_version = 1000");
    for (name, bytes) in files(folder.path()) {
        fs::write(killed.path().join(name), bytes).unwrap();
    }
    drop(writer);
    assert!(killed.path().join("northgate.db-wal").metadata().unwrap().len() > 0);
    for folder in [folder.path(), killed.path()] {
        let line = refused(folder);
        assert!(line.contains("(it has schema 1000; this version supports at most 6)"), "{line}");
    }
}

#[tokio::test]
async fn a_file_of_another_program_is_refused_and_not_changed() {
    for bytes in [b"xy".as_slice(), b"not a database, but longer than its header".as_slice()] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("northgate.db"), bytes).unwrap();
        assert!(refused(folder.path()).contains("is not a Northgate database"));
    }
    for sql in ["CREATE TABLE t (a)", "PRAGMA application_id = 7", "PRAGMA user_version = 1"] {
        let folder = tempfile::tempdir().unwrap();
        drop(database(folder.path(), sql));
        assert!(refused(folder.path()).contains("is not a Northgate database"), "{sql}");
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    for place in [&file, &file.join("below")] {
        let Err(error) = open(place, 1) else { panic!("the folder was opened") };
        assert!(matches!(error, OpenError::Folder { .. }), "{error}");
        let line = error.to_string();
        assert!(line.starts_with(&format!("cannot store data in {}: ", place.display())), "{line}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"x");
    fs::create_dir(folder.path().join("northgate.db")).unwrap();
    assert!(open(folder.path(), 1).is_err(), "the path of the database is a folder");
}

#[tokio::test]
async fn a_kill_before_the_first_write_does_not_block_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("northgate.db"), b"").unwrap();
    append(&open(folder.path(), 1).unwrap(), raise("fire")).await;

    let folder = tempfile::tempdir().unwrap();
    drop(database(folder.path(), "PRAGMA journal_mode = WAL"));
    append(&open(folder.path(), 1).unwrap(), raise("fire")).await;
}

// Order of commits and publications.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_on_disk_before_the_head_and_results_never_exceed_it() {
    const EVENTS: u64 = 600;
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(folder.path(), 1).unwrap());
    let mut head = store.head();
    let database = folder.path().join("northgate.db");
    let watcher = tokio::task::spawn_blocking(move || {
        let file = rusqlite::Connection::open(database).unwrap();
        loop {
            let shown = head.borrow_and_update().offset;
            let sql = "SELECT coalesce(max(place), 0) FROM events";
            let kept: i64 = file.query_row(sql, [], |row| row.get(0)).unwrap();
            assert!(
                kept >= i64::try_from(shown).unwrap(),
                "the head is {shown}, but the newest event on disk is {kept}"
            );
            if shown == EVENTS {
                return;
            }
        }
    });
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let (writing, reading) = (store.clone(), store.clone());
        tasks.spawn(async move {
            for _ in 0..EVENTS / 4 {
                let event = appended(append(&writing, raise("x")).await);
                assert!(writing.head().borrow().offset >= event.position.offset);
            }
        });
        tasks.spawn(async move {
            loop {
                let alerts = reading.alerts(AlertQuery::newest(1)).await.unwrap();
                assert!(reading.head().borrow().offset >= alerts.position.offset);
                // The log must be readable from the position of each result.
                reading.read(ReadFrom::After(alerts.position), 1).await.unwrap();
                if alerts.position.offset == EVENTS {
                    return;
                }
            }
        });
    }
    tasks.join_all().await;
    watcher.await.unwrap();
}
