//! Tests of `retain_bytes`: which items are removed when the bytes are used up, and which stay.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use northgate_domain::{Action, AlertQuery, Epoch, MessageQuery, Position, StatusKind};
use northgate_storage::{
    AppendError, EventLog, EventStore, NotWritable, Outcome, ReadFrom, ReadModel, Submission,
};
use northgate_storage_sqlite::{Options, SqliteStore, check};
use northgate_testkit::{ManualClock, act, alert_of, keyed, raise, say};
use rusqlite::Connection;
use std::num::NonZeroU64;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

const MIB: u64 = 1024 * 1024;
const BOUND: u64 = 4 * MIB;

fn bounded() -> (TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { retain_bytes: NonZeroU64::new(BOUND), ..Options::new(Epoch::new(7)) };
    let store = SqliteStore::open(folder.path(), &options, ManualClock::counting().meta()).unwrap();
    (folder, store)
}

/// Returns a message of 4,000 characters that differs for each `n`.
fn text(n: u64) -> String {
    format!("{n} {}", "word ".repeat(799))
}

fn raise_keyed(n: u64) -> Submission {
    keyed(&n.to_string(), raise(&text(n)))
}

/// Returns the length in bytes of the database and its write-ahead log together.
fn bytes_on_disk(folder: &Path) -> u64 {
    let length = |name: &str| folder.join(name).metadata().map_or(0, |found| found.len());
    length("northgate.db") + length("northgate.db-wal")
}

/// Allowed excess in bytes: one commit can write 4 MiB before the bytes are counted again.
const SLACK: u64 = 4 * MIB;

#[tokio::test]
async fn events_are_removed_before_resolved_alerts_and_messages() {
    let (folder, store) = bounded();
    let open = alert_of(&store.append(vec![raise(&text(0))]).await.unwrap()[0]);
    for n in 1..1_500 {
        let outcome = store.append(vec![raise(&text(n))]).await.unwrap().remove(0);
        store.append(vec![act(alert_of(&outcome), Action::Resolve)]).await.unwrap();
        store.append(vec![say(&text(n))]).await.unwrap();
        assert!(bytes_on_disk(folder.path()) < BOUND + SLACK, "after {n}");
    }
    assert_eq!(store.is_writable(), Ok(()));
    assert!(store.alert(open).await.unwrap().is_some(), "an unresolved alert stays");
    let head = *store.head().borrow();
    let after = |offset| ReadFrom::After(Position { offset, ..head });
    assert!(store.read(after(1), 1).await.is_err(), "old events are trimmed");
    let recent = head.offset - 100;
    assert!(store.read(after(recent), 1).await.is_ok(), "recent events are retained");
    let resolved = AlertQuery { statuses: vec![StatusKind::Resolved], ..AlertQuery::newest(1_000) };
    let resolved = store.alerts(resolved).await.unwrap().items.len();
    let messages = store.messages(MessageQuery::newest(1_000)).await.unwrap().items.len();
    assert!((20..1_000).contains(&resolved), "{resolved} resolved alerts are left");
    assert!((20..1_000).contains(&messages), "{messages} messages are left");
    store.close().await;
    check(folder.path()).unwrap();
}

#[tokio::test]
async fn a_full_store_refuses_new_alerts_until_some_alerts_are_resolved() {
    let (folder, store) = bounded();
    let mut raised = Vec::new();
    let refused = loop {
        match store.append(vec![raise(&text(raised.len() as u64))]).await {
            Ok(outcomes) => raised.push(alert_of(&outcomes[0])),
            Err(error) => break error,
        }
        assert!(raised.len() < 5_000, "the store is never full");
    };
    assert_eq!(refused, AppendError::Unavailable);
    assert_eq!(
        store.is_writable(),
        Err(NotWritable("unresolved alerts use up --retain-bytes".to_owned()))
    );
    assert!(bytes_on_disk(folder.path()) < BOUND + SLACK);
    let held = store.alerts(AlertQuery::newest(10_000)).await.unwrap().items.len();
    assert_eq!(held, raised.len(), "no open alert is removed");

    for alert in raised.iter().take(raised.len() / 2) {
        store.append(vec![act(*alert, Action::Resolve)]).await.unwrap();
    }
    store.append(vec![raise(&text(0))]).await.unwrap();
    assert_eq!(store.is_writable(), Ok(()));
}

#[tokio::test]
async fn a_reader_that_blocks_checkpoints_causes_no_removal_of_alerts() {
    let (folder, store) = bounded();
    for n in 0..50 {
        let outcome = store.append(vec![raise(&text(n))]).await.unwrap().remove(0);
        store.append(vec![act(alert_of(&outcome), Action::Resolve)]).await.unwrap();
    }
    let reader = Connection::open(folder.path().join("northgate.db")).unwrap();
    let snapshot = reader.unchecked_transaction().unwrap();
    snapshot.query_row("SELECT epoch FROM meta", [], |_row| Ok(())).unwrap();
    let mut said = 0;
    while bytes_on_disk(folder.path()) < 2 * BOUND {
        store.append(vec![say(&text(said))]).await.unwrap();
        said += 1;
        assert_eq!(store.is_writable(), Ok(()), "after {said}");
    }
    assert_eq!(store.alerts(AlertQuery::newest(1_000)).await.unwrap().items.len(), 50);
    drop(snapshot);
    store.append(vec![say(&text(said))]).await.unwrap();
    assert!(bytes_on_disk(folder.path()) < BOUND + SLACK);
}

#[tokio::test]
async fn an_unsent_event_is_not_removed() {
    let (_folder, store) = bounded();
    let start = Position::start(Epoch::new(7));
    let (sent, follower) = watch::channel(start);
    store.follow(follower);
    for n in 0..3_000 {
        store.append(vec![say(&text(n))]).await.unwrap();
    }
    assert_eq!(store.is_writable(), Ok(()), "unsent events can be removed later");
    let first = store.read(ReadFrom::After(start), 1).await.unwrap();
    assert_eq!(first[0].position.offset, 1);

    sent.send_replace(*store.head().borrow());
    let trimmed = async {
        while store.read(ReadFrom::After(start), 1).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(30), trimmed).await.expect("in time");
}

#[tokio::test]
async fn the_newest_keys_stay_so_that_a_retry_raises_no_second_alert() {
    let (_folder, store) = bounded();
    let mut raised = 0;
    while store.append(vec![raise_keyed(raised)]).await.is_ok() {
        raised += 1;
        assert!(raised < 5_000, "the store is never full");
    }
    for n in raised - 150..raised {
        let again = store.append(vec![raise_keyed(n)]).await.unwrap().remove(0);
        assert!(matches!(again, Outcome::Replayed(_)), "{n}: {again:?}");
    }
}

#[tokio::test]
async fn keys_do_not_displace_their_alerts() {
    let (folder, store) = bounded();
    for n in 0..3_000 {
        let outcome = store.append(vec![raise_keyed(n)]).await.unwrap().remove(0);
        store.append(vec![act(alert_of(&outcome), Action::Resolve)]).await.unwrap();
        assert_eq!(store.is_writable(), Ok(()), "after {n}");
    }
    let alerts = store.alerts(AlertQuery::newest(1_000)).await.unwrap().items.len();
    assert!((50..1_000).contains(&alerts), "{alerts} resolved alerts are left");
    let again = store.append(vec![raise_keyed(2_900)]).await.unwrap().remove(0);
    assert!(matches!(again, Outcome::Replayed(_)), "{again:?}");
    store.close().await;
    check(folder.path()).unwrap();
}
