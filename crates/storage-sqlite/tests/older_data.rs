//! Tests with data of an earlier version, which is migrated and stays usable.

use northgate_domain::{
    Action, AlertQuery, Epoch, HistoryRange, MessageQuery, Revision, Severity, Status, StatusKind,
    Timestamp,
};
use northgate_storage::{
    EventLog, EventStore, IdempotencyKey, Outcome, ReadFrom, ReadModel, RecordedOutcome, Submission,
};
use northgate_storage_sqlite::{
    ExportRange, Options, SqliteStore, backup, check, export, import, renew_epoch,
};
use northgate_testkit::{ManualClock, act};
use std::fs;

/// Database of a server with schema 3 that retained at most four events. The server handled five
/// requests: the alerts "Intruder 1" to "Intruder 3", the alert "Keyed fire" with the key `first`,
/// and one message.
const SCHEMA_3: &[u8] = include_bytes!("data/schema-3.db");

/// A time shortly after the last request of the fixture.
const THEN: Timestamp = Timestamp::from_unix_micros(1_795_677_164_000_000);

#[tokio::test]
async fn a_schema_3_database_is_migrated_and_stays_usable() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("northgate.db"), SCHEMA_3).unwrap();
    let options = Options::new(Epoch::new(1));
    let store =
        SqliteStore::open(folder.path(), &options, ManualClock::at(THEN.unix_micros()).meta())
            .unwrap();
    let head = *store.head().borrow();
    assert_eq!((head.epoch, head.offset), (Epoch::new(0xbc6c_c90c_60e1_2c39), 5));

    let alerts = store.alerts(AlertQuery::newest(9)).await.unwrap().items;
    let texts: Vec<_> = alerts.iter().map(|alert| alert.value.message.as_str()).collect();
    assert_eq!(texts, ["Intruder 1", "Intruder 2", "Intruder 3", "Keyed fire"]);
    for alert in &alerts {
        let alert = &alert.value;
        assert_eq!((alert.severity, &alert.status), (Severity::Warning, &Status::Open));
        assert_eq!((alert.count, alert.revision), (1, Revision::FIRST));
        assert_eq!((alert.last_seen, alert.updated_at), (alert.raised_at, alert.raised_at));
    }
    assert_eq!(alerts[3].value.location.as_str(), "Raum Ä/7");
    let messages = store.messages(MessageQuery::newest(9)).await.unwrap().items;
    assert_eq!(messages[0].value.message.as_str(), "On my way");
    let oldest = northgate_domain::Position { offset: 1, ..head };
    assert_eq!(store.read(ReadFrom::After(oldest), 9).await.unwrap().len(), 4);
    let alert_counts = store.summary().await.unwrap().counts;
    assert_eq!(alert_counts.count(StatusKind::Open, Severity::Warning), 4);

    // A key from before the migration is known, and so is the answer to its first use.
    let key =
        IdempotencyKey { scope: "alerts".to_owned(), value: "first".to_owned(), fingerprint: None };
    let again = Submission { key: Some(key), ..act(alerts[3].value.id, Action::Reopen) };
    let outcome = store.append(vec![again]).await.unwrap().remove(0);
    let Outcome::Replayed(RecordedOutcome::Appended { event: first, raised }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!((first.position, raised), (alerts[3].position, alerts[3].position));

    // An alert from before the migration can be resolved.
    store.append(vec![act(alerts[3].value.id, Action::Resolve)]).await.unwrap();
    let resolved = AlertQuery { statuses: vec![StatusKind::Resolved], ..AlertQuery::newest(9) };
    assert_eq!(store.alerts(resolved).await.unwrap().items[0].position, alerts[3].position);
    let found = store.alert_events(alerts[3].value.id, HistoryRange::newest(9)).await.unwrap();
    let offsets: Vec<_> =
        found.unwrap().events.items.iter().map(|event| event.position.offset).collect();
    assert_eq!(offsets, [alerts[3].position.offset, head.offset + 1]);
    store.close().await;
    assert_eq!(check(folder.path()).unwrap().events, 5);
}

#[tokio::test]
async fn data_of_an_older_schema_is_checked_and_copied_without_migration() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("northgate.db");
    fs::write(&database, SCHEMA_3).unwrap();
    let checked = check(folder.path()).unwrap();
    assert_eq!((checked.events, checked.older_schema), (4, Some(3)));
    let copies = tempfile::tempdir().unwrap();
    backup(folder.path(), &copies.path().join("northgate.db"), Epoch::new(2)).unwrap();
    assert_eq!(check(copies.path()).unwrap().older_schema, Some(3));
    renew_epoch(copies.path(), Epoch::new(3)).unwrap();
    let renewed = check(copies.path()).unwrap();
    assert_eq!((renewed.head.epoch, renewed.older_schema), (Epoch::new(3), Some(3)));

    let imported = tempfile::tempdir().unwrap();
    let lines = copies.path().join("lines");
    let file = fs::File::create(&lines).unwrap();
    let counts = export(folder.path(), ExportRange::default(), file).unwrap();
    assert_eq!((counts.events, counts.alerts, counts.messages, counts.keys), (4, 4, 1, 2));
    import(imported.path(), &mut fs::read(&lines).unwrap().as_slice(), Epoch::new(4)).unwrap();
    assert_eq!(check(imported.path()).unwrap().older_schema, None);
    assert_eq!(fs::read(&database).unwrap(), SCHEMA_3, "the database is unchanged");

    for (change, reason) in [
        (
            "UPDATE alerts SET raised_at = raised_at + 1 WHERE place = 2",
            "the columns of the alert at offset 2 ",
        ),
        ("DELETE FROM alert_ids WHERE rowid = 1", "1 alerts are missing from the id index"),
        ("DELETE FROM events WHERE place = 3", "1 events are missing before offset 5"),
    ] {
        rusqlite::Connection::open(&database).unwrap().execute_batch(change).unwrap();
        let refused = check(folder.path()).unwrap_err().to_string();
        assert!(refused.starts_with(&format!("is not intact: {reason}")), "{refused}");
        // Restores the database, and removes the files that a check leaves.
        for name in ["northgate.db-wal", "northgate.db-shm"] {
            let _ = fs::remove_file(folder.path().join(name));
        }
        fs::write(&database, SCHEMA_3).unwrap();
    }
}
