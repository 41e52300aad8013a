//! Tests of files that are moved, deleted, replaced or truncated under an open store, and of data
//! that cannot be read.

use super::{Act, SOON, directed, open, say, texts};
use crate::database::connect_to_read;
use crate::health::{FileChange, StoreHealth};
use crate::writer::commit;
use crate::{Options, SqliteStore, check};
use northgate_domain::Epoch;
use northgate_storage::laws::ManualClock;
use northgate_storage::{AppendError, EventLog, EventStore, ReadModel};
use rusqlite::Connection;
use tokio::task::JoinSet;

/// Waits until the store has the health `expected`.
async fn healthy(store: &SqliteStore, expected: StoreHealth) {
    let mut health = store.health();
    let reached = health.wait_for(|health| *health == expected);
    tokio::time::timeout(SOON, reached).await.expect("in time").unwrap();
}

#[tokio::test]
async fn no_append_succeeds_while_a_file_is_missing_or_replaced() {
    for file in ["northgate.db", "northgate.db-wal", "northgate.db-shm", "northgate.lock"] {
        let (folder, store) = open(Box::new(commit));
        store.append(vec![say("before")]).await.unwrap();
        let path = folder.path().join(file);
        let aside = folder.path().join("aside");
        std::fs::rename(&path, &aside).unwrap();
        let gone = StoreHealth::FileChanged { file, change: FileChange::Gone };
        assert_eq!(store.append(vec![say("lost")]).await, Err(AppendError::Unavailable), "{file}");
        assert_eq!(*store.health().borrow(), gone);
        assert!(!path.exists(), "{file} was created again");

        std::fs::write(&path, "something else").unwrap();
        assert_eq!(store.append(vec![say("lost")]).await, Err(AppendError::Unavailable), "{file}");
        let replaced = StoreHealth::FileChanged { file, change: FileChange::Replaced };
        assert_eq!(*store.health().borrow(), replaced);

        std::fs::rename(&aside, &path).unwrap();
        healthy(&store, StoreHealth::Keeping).await;
        store.append(vec![say("after")]).await.unwrap();
        assert_eq!(texts(&store).await, ["before", "after"], "{file}");
        store.close().await;
        assert_eq!(check(folder.path()).unwrap().events, 2, "{file}");
    }
}

#[tokio::test]
async fn an_idle_store_detects_a_missing_file() {
    let (folder, store) = open(Box::new(commit));
    store.append(vec![say("before")]).await.unwrap();
    std::fs::remove_file(folder.path().join("northgate.lock")).unwrap();
    let gone = StoreHealth::FileChanged { file: "northgate.lock", change: FileChange::Gone };
    healthy(&store, gone).await;
}

#[tokio::test]
async fn a_deleted_write_ahead_log_loses_no_committed_event() {
    let (folder, store) = open(Box::new(commit));
    store.append(vec![say("before")]).await.unwrap();
    std::fs::remove_file(folder.path().join("northgate.db-wal")).unwrap();
    let gone = StoreHealth::FileChanged { file: "northgate.db-wal", change: FileChange::Gone };
    healthy(&store, gone).await;
    // These are the files that a kill would leave.
    let left = tempfile::tempdir().unwrap();
    std::fs::copy(folder.path().join("northgate.db"), left.path().join("northgate.db")).unwrap();
    assert_eq!(check(left.path()).unwrap().events, 1);
}

#[tokio::test]
async fn a_deleted_log_is_rescued_after_the_blocking_reader_has_ended() {
    let (folder, store) = open(Box::new(commit));
    store.append(vec![say("before")]).await.unwrap();
    // This snapshot is older than the next event, so it blocks the checkpoint of the log.
    let reader = connect_to_read(&folder.path().join("northgate.db")).unwrap();
    let snapshot = reader.unchecked_transaction().unwrap();
    snapshot.query_row("SELECT epoch FROM meta", [], |_row| Ok(())).unwrap();
    store.append(vec![say("acknowledged")]).await.unwrap();
    std::fs::remove_file(folder.path().join("northgate.db-wal")).unwrap();
    let gone = StoreHealth::FileChanged { file: "northgate.db-wal", change: FileChange::Gone };
    healthy(&store, gone).await;
    drop(snapshot);
    assert_eq!(store.append(vec![say("refused")]).await, Err(AppendError::Unavailable));
    let left = tempfile::tempdir().unwrap();
    std::fs::copy(folder.path().join("northgate.db"), left.path().join("northgate.db")).unwrap();
    assert_eq!(check(left.path()).unwrap().events, 2);
}

#[tokio::test]
async fn a_checkpoint_by_another_program_is_no_failure() {
    let (folder, store) = open(Box::new(commit));
    for n in 0..3 {
        store.append(vec![say(&n.to_string())]).await.unwrap();
        let other = Connection::open(folder.path().join("northgate.db")).unwrap();
        let truncated = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: i64 = other.query_row(truncated, [], |row| row.get(0)).unwrap();
        assert_eq!(busy, 0);
        assert_eq!(folder.path().join("northgate.db-wal").metadata().unwrap().len(), 0);
    }
    store.append(vec![say("3")]).await.unwrap();
    assert_eq!(*store.health().borrow(), StoreHealth::Keeping);
    assert_eq!(texts(&store).await, ["0", "1", "2", "3"]);
}

#[tokio::test]
async fn a_checkpoint_by_another_program_just_after_a_commit_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("northgate.db");
    let mut commits = 0;
    let commit = Box::new(move |connection: &Connection| {
        commit(connection)?;
        commits += 1;
        if commits < 3 {
            return Ok(());
        }
        let other = Connection::open(&database)?;
        other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_row| Ok(()))
    });
    let options = Options::new(Epoch::new(7));
    let meta = ManualClock::counting().meta();
    let store = SqliteStore::open_with(folder.path(), &options, meta, commit).unwrap();
    for n in 0..4 {
        store.append(vec![say(&n.to_string())]).await.unwrap();
    }
    assert_eq!(*store.health().borrow(), StoreHealth::Keeping);
    assert_eq!(texts(&store).await, ["0", "1", "2", "3"]);
}

#[tokio::test]
async fn an_older_copy_of_a_lost_write_ahead_log_is_not_used() {
    let (folder, store) = open(Box::new(commit));
    let wal = folder.path().join("northgate.db-wal");
    let copy = folder.path().join("copy");
    store.append(vec![say("first")]).await.unwrap();
    std::fs::copy(&wal, &copy).unwrap();
    store.append(vec![say("second")]).await.unwrap();
    std::fs::remove_file(&wal).unwrap();
    let gone = StoreHealth::FileChanged { file: "northgate.db-wal", change: FileChange::Gone };
    healthy(&store, gone).await;
    // These are the files that a kill would leave. Then an administrator puts an older copy of the
    // log back.
    let left = tempfile::tempdir().unwrap();
    for name in ["northgate.db", "northgate.lock"] {
        std::fs::copy(folder.path().join(name), left.path().join(name)).unwrap();
    }
    std::fs::copy(&copy, left.path().join("northgate.db-wal")).unwrap();
    for _ in 0..2 {
        let options = Options::new(Epoch::new(8));
        let again =
            SqliteStore::open(left.path(), &options, ManualClock::counting().meta()).unwrap();
        assert_eq!(again.head().borrow().offset, 2);
        assert_eq!(again.summary().await.unwrap().position.offset, 2);
        again.close().await;
    }
    assert!(left.path().join("northgate.db-wal.stale").exists());
    assert_eq!(check(left.path()).unwrap().events, 2);
}

#[tokio::test]
async fn a_log_that_was_moved_away_and_back_is_used_at_the_next_start() {
    let (folder, store) = open(Box::new(commit));
    let wal = folder.path().join("northgate.db-wal");
    let aside = folder.path().join("aside");
    store.append(vec![say("first")]).await.unwrap();
    std::fs::rename(&wal, &aside).unwrap();
    let gone = StoreHealth::FileChanged { file: "northgate.db-wal", change: FileChange::Gone };
    healthy(&store, gone).await;
    std::fs::rename(&aside, &wal).unwrap();
    healthy(&store, StoreHealth::Keeping).await;
    store.append(vec![say("second")]).await.unwrap();
    let left = tempfile::tempdir().unwrap();
    for name in ["northgate.db", "northgate.lock", "northgate.db-wal"] {
        std::fs::copy(folder.path().join(name), left.path().join(name)).unwrap();
    }
    let options = Options::new(Epoch::new(8));
    let again = SqliteStore::open(left.path(), &options, ManualClock::counting().meta()).unwrap();
    assert_eq!(again.head().borrow().offset, 2);
}

#[tokio::test]
async fn a_truncated_write_ahead_log_is_a_failure() {
    let (folder, store) = open(Box::new(commit));
    store.append(vec![say("before")]).await.unwrap();
    let wal = folder.path().join("northgate.db-wal");
    std::fs::File::options().write(true).open(wal).unwrap().set_len(0).unwrap();
    assert_eq!(store.append(vec![say("lost")]).await, Err(AppendError::Unavailable));
    let cut = StoreHealth::FileChanged { file: "northgate.db-wal", change: FileChange::Truncated };
    assert_eq!(*store.health().borrow(), cut);
    store.close().await;

    // A restart does not hide the loss.
    let again = || {
        let options = Options::new(Epoch::new(7));
        SqliteStore::open(folder.path(), &options, ManualClock::counting().meta())
    };
    let refused = again().err().unwrap().to_string();
    assert!(refused.contains("some events are lost"), "{refused}");
    std::fs::remove_file(folder.path().join("northgate.lock")).unwrap();
    assert!(again().is_ok());
}

#[tokio::test]
async fn no_append_succeeds_while_the_database_cannot_be_read() {
    let (folder, store) = open(Box::new(commit));
    store.append(vec![say("before")]).await.unwrap();
    let database = folder.path().join("northgate.db");
    let other = Connection::open(&database).unwrap();
    other.execute_batch("ALTER TABLE meta RENAME TO aside").unwrap();
    assert!(store.summary().await.is_err());
    assert_eq!(store.append(vec![say("unread")]).await, Err(AppendError::Unavailable));
    other.execute_batch("ALTER TABLE aside RENAME TO meta").unwrap();
    // The store recovers without a read.
    healthy(&store, StoreHealth::Keeping).await;
    store.append(vec![say("after")]).await.unwrap();
}

#[tokio::test]
async fn an_event_in_a_lost_file_is_published_only_when_the_file_is_back() {
    let (folder, store, director) = directed();
    let appending = store.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { appending.append(vec![say("a")]).await.map(|_outcomes| ()) });
    tokio::task::yield_now().await;
    director.reached();
    let database = folder.path().join("northgate.db");
    std::fs::rename(&database, folder.path().join("aside")).unwrap();
    director.tell(Act::Commit);
    assert_eq!(tasks.join_all().await, [Err(AppendError::OutcomeUnknown)]);
    assert_eq!(store.head().borrow().offset, 0);
    drop(director);
    std::fs::rename(folder.path().join("aside"), &database).unwrap();
    healthy(&store, StoreHealth::Keeping).await;
    assert_eq!(texts(&store).await, ["a"]);
}
