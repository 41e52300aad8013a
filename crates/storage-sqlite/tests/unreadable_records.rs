//! Tests with a stored record that cannot be decoded: it is skipped and affects no other record.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use northgate_domain::{
    Action, AlertId, AlertQuery, Command, Deadlines, DedupKey, Epoch, HistoryRange, Position,
    RaiseAlert, Severity, StatusKind, Timestamp,
};
use northgate_storage::{
    AppendError, EventLog, EventStore, Outcome, ReadError, ReadFrom, ReadModel, Rejection,
    Submission,
};
use northgate_storage_sqlite::{Options, SqliteStore, check};
use northgate_testkit::{ManualClock, act, keyed, raise_alert};
use rusqlite::Connection;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

fn raise(message: &str, key: Option<&str>) -> Submission {
    Submission::from(Command::RaiseAlert(RaiseAlert {
        dedup_key: key.map(|key| DedupKey::parse(key).unwrap()),
        expires_at: Some(Timestamp::from_unix_micros(10)),
        ..raise_alert(message)
    }))
}

/// Opens a store with alerts 0 to 3 at offsets 1 to 4. At offset 2 the records of the alert and of
/// the event are damaged, and the stored answer of the key is damaged too.
async fn damaged(options: &Options) -> (TempDir, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path(), options, ManualClock::counting().meta()).unwrap();
    for n in 0..4 {
        let (message, key) = (n.to_string(), format!("k{n}"));
        store.append(vec![keyed(&key, raise(&message, Some(&key)))]).await.unwrap();
    }
    damage(folder.path());
    (folder, store)
}

fn damage(folder: &Path) {
    let database = Connection::open(folder.join("northgate.db")).unwrap();
    database
        .execute_batch(
            "UPDATE alerts SET record = x'02ff' WHERE place = 2;
             UPDATE events SET record = x'02ff' WHERE place = 2;
             UPDATE keys SET answer = x'02ff' WHERE value = 'k1';",
        )
        .unwrap();
}

fn offsets<T>(items: &[northgate_domain::Positioned<T>]) -> Vec<u64> {
    items.iter().map(|item| item.position.offset).collect()
}

#[tokio::test]
async fn reads_and_histories_skip_an_unreadable_record() {
    let (folder, store) = damaged(&Options::new(Epoch::new(7))).await;
    let start = Position::start(Epoch::new(7));
    let read = store.read(ReadFrom::After(start), 2).await.unwrap();
    assert_eq!(offsets(&read), [1, 3], "the page has its full length");
    let only = Position { offset: 1, ..start };
    assert_eq!(offsets(&store.read(ReadFrom::After(only), 1).await.unwrap()), [3]);
    let all = store.alerts(AlertQuery::newest(9)).await.unwrap();
    assert_eq!(offsets(&all.items), [1, 3, 4]);

    // A page whose last item cannot be decoded states where the next page begins.
    let range =
        HistoryRange { before: Some(Position { offset: 4, ..start }), ..HistoryRange::newest(1) };
    let part = store.alerts(AlertQuery { range, ..AlertQuery::default() }).await.unwrap();
    assert_eq!((offsets(&part.items), part.has_older), (vec![3], true));
    assert_eq!(part.examined_to, Some(Position { offset: 2, ..start }));
    let range = HistoryRange { before: part.examined_to, ..range };
    let part = store.alerts(AlertQuery { range, ..AlertQuery::default() }).await.unwrap();
    assert_eq!((offsets(&part.items), part.has_older), (vec![1], false));

    let deadlines = Deadlines {
        now: Timestamp::from_unix_micros(1_000),
        quiet_since: enum_map::EnumMap::default(),
    };
    assert_eq!(offsets(&store.overdue(deadlines, 2).await.unwrap()), [1, 3]);
    assert!(store.written().unreadable > 0);
    let found = check(folder.path()).unwrap_err().to_string();
    assert!(found.contains("the record in row 2"), "{found}");
}

#[tokio::test]
async fn an_unreadable_record_does_not_block_appends() {
    let (_folder, store) = damaged(&Options::new(Epoch::new(7))).await;
    // The deduplication key of the damaged alert is free for another alert.
    let outcome = store.append(vec![raise("again", Some("k1"))]).await.unwrap().remove(0);
    assert!(matches!(outcome, Outcome::Appended { .. }), "{outcome:?}");
    // No action on the damaged alert is possible.
    let act = act(AlertId(Uuid::from_u128(2)), Action::Resolve);
    let refused = store.append(vec![act]).await.unwrap_err();
    let AppendError::Rejected { rejection: Rejection::Rule(rule), .. } = refused else {
        panic!("{refused:?}");
    };
    assert!(matches!(rule, northgate_domain::Rejection::NoSuchAlert(_)), "{rule:?}");
    // A retry of the request that raised the damaged alert must not raise a second alert.
    let again = store.append(vec![keyed("k1", raise("1", Some("k1")))]).await;
    assert_eq!(again, Err(AppendError::Unavailable));
    assert_eq!(store.is_writable(), Ok(()));
    store.append(vec![raise("later", None)]).await.unwrap();
}

#[tokio::test]
async fn trimming_removes_unreadable_records() {
    let options = Options::new(Epoch::new(7));
    let two = NonZeroUsize::new(2).unwrap();
    let capacity =
        northgate_storage::Capacity { events: two, alerts: two, keys: two, ..options.capacity };
    let (folder, store) = damaged(&Options::new(Epoch::new(7))).await;
    store.close().await;
    drop(store);
    let store = SqliteStore::open(
        folder.path(),
        &Options { capacity, ..options },
        ManualClock::counting().meta(),
    )
    .unwrap();
    store.append(vec![raise("last", None)]).await.unwrap();
    assert_eq!(store.is_writable(), Ok(()));
    let alert_counts = store.summary().await.unwrap().counts;
    assert_eq!(alert_counts.count(StatusKind::Open, Severity::Warning), 2);
    store.close().await;
    assert_eq!(check(folder.path()).unwrap().events, 2);
}

#[tokio::test]
async fn an_event_with_an_unknown_time_is_trimmed_with_the_next_event() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("northgate.db"), include_bytes!("data/schema-3.db")).unwrap();
    let database = Connection::open(folder.path().join("northgate.db")).unwrap();
    database.execute_batch("UPDATE events SET record = x'01ff' WHERE place = 2").unwrap();
    drop(database);
    let options = Options { retain_for: Duration::from_micros(1), ..Options::new(Epoch::new(1)) };
    let clock = ManualClock::at(4_000_000_000_000_000);
    let store = SqliteStore::open(folder.path(), &options, clock.meta()).unwrap();
    let start = Position { offset: 0, ..*store.head().borrow() };
    // All events are old, but the newest is never trimmed. The time of the event at offset 2 is
    // unknown. The store trusts a jump of the clock only after an hour.
    let trimmed = async {
        loop {
            clock.advance(3_600_000_000);
            match store.read(ReadFrom::After(start), 1).await {
                Err(ReadError::Gap { oldest, .. }) if oldest.offset == 4 => break,
                _ => sleep(Duration::from_millis(5)).await,
            }
        }
    };
    timeout(Duration::from_secs(30), trimmed).await.expect("in time");
}
