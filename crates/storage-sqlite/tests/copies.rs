//! Tests of export, import, backup and check. An import of a complete export creates an equal store
//! with another epoch. Any other input creates no store.
#![expect(clippy::unwrap_used, reason = "helper functions of tests may panic, as tests may")]

use northgate_domain::{AlertQuery, Epoch, MessageQuery, Position, Search};
use northgate_storage::{
    AppendError, Capacity, EventLog, EventStore, Outcome, ReadError, ReadFrom, ReadModel,
    Rejection, Submission,
};
use northgate_storage_sqlite::{
    BackupError, Counts, ExportRange, ImportError, Options, SqliteStore, backup, check, export,
    import, renew_epoch,
};
use northgate_testkit::{ManualClock, keyed, raise_at, say};
use std::num::NonZeroUsize;
use std::path::Path;

const OLD: Epoch = Epoch::new(7);
const NEW: Epoch = Epoch::new(8);

/// Opens a store whose new ids count from `ids_from`. A store and its copy must not create equal
/// ids.
fn open(folder: &Path, ids_from: u64) -> SqliteStore {
    let ten = NonZeroUsize::new(10).unwrap();
    let options = Options::new(OLD);
    let capacity = Capacity { events: ten, ..options.capacity };
    let meta = ManualClock::counting_from(ids_from, 1_000_000).meta();
    SqliteStore::open(folder, &Options { capacity, ..options }, meta).unwrap()
}

fn raise(message: &str) -> Submission {
    raise_at("North \u{2028} Gate\n2", message)
}

/// Opens a store and appends more events than its log retains.
async fn filled(folder: &Path) -> SqliteStore {
    let store = open(folder, 1);
    for n in 0..12 {
        store.append(vec![raise(&format!("fire {n}")), say(&format!("seen {n}"))]).await.unwrap();
    }
    store.append(vec![keyed("k", raise("Zwölf \"quoted\""))]).await.unwrap();
    store
}

/// Returns the results of all kinds of queries, without the epoch of the log.
async fn everything(store: &SqliteStore) -> Vec<String> {
    let epoch = store.head().borrow().epoch;
    let at = |offset| Position { epoch, offset };
    let mut answers = vec![format!("{:?}", store.read(ReadFrom::After(at(0)), 100).await)];
    answers.push(format!("{:?}", store.read(ReadFrom::Before(*store.head().borrow()), 100).await));
    answers.push(format!("{:?}", store.alerts(AlertQuery::newest(100)).await));
    answers.push(format!("{:?}", store.messages(MessageQuery::newest(100)).await));
    for words in ["zwol quo", "fire", "gate 2", "nothing"] {
        let search = Search::parse(words).unwrap();
        answers.push(format!(
            "{:?}",
            store.alerts(AlertQuery { search, ..AlertQuery::newest(9) }).await
        ));
    }
    let epoch = format!("{epoch:?}");
    answers.into_iter().map(|answer| answer.replace(&epoch, "EPOCH")).collect()
}

fn exported(folder: &Path) -> (Counts, Vec<u8>) {
    exported_part(folder, ExportRange::default())
}

/// Exports to a file, and returns its contents.
fn exported_part(folder: &Path, range: ExportRange) -> (Counts, Vec<u8>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let counts = export(folder, range, file.reopen().unwrap()).unwrap();
    (counts, std::fs::read(file.path()).unwrap())
}

#[tokio::test]
async fn an_imported_store_differs_from_the_exported_one_only_in_its_epoch() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = filled(folder.path()).await;
    let (counts, lines) = exported(folder.path());
    assert_eq!(counts, Counts { events: 10, alerts: 13, messages: 12, keys: 1 });
    let was = everything(&store).await;
    store.close().await;
    assert_eq!(exported(folder.path()).1, lines, "the export does not depend on a running store");

    assert_eq!(import(copy.path(), &mut lines.as_slice(), NEW).unwrap(), counts);
    assert_eq!(check(copy.path()).unwrap().head, Position { epoch: NEW, offset: 25 });
    assert_eq!(exported(copy.path()).1, lines, "a second export is the same");
    let imported = open(copy.path(), 1_000);
    assert_eq!(everything(&imported).await, was);

    let old = Position { epoch: OLD, offset: 25 };
    let gap = imported.read(ReadFrom::After(old), 1).await;
    assert!(matches!(gap, Err(ReadError::Gap { .. })), "{gap:?}");
    let again = imported.append(vec![keyed("k", raise("Zwölf \"quoted\""))]).await.unwrap();
    assert!(matches!(again[0], Outcome::Replayed(_)), "{again:?}");
    let reused = imported.append(vec![keyed("k", raise("other"))]).await;
    let rejection = Rejection::KeyReused;
    assert_eq!(reused, Err(AppendError::Rejected { index: 0, rejection }));
    imported.append(vec![raise("new")]).await.unwrap();
    assert_eq!(imported.head().borrow().offset, 26);
}

#[tokio::test]
async fn an_empty_store_can_be_exported_and_imported() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    open(folder.path(), 1_000).close().await;
    let (counts, lines) = exported(folder.path());
    assert_eq!(counts, Counts::default());
    import(copy.path(), &mut lines.as_slice(), NEW).unwrap();
    assert_eq!(open(copy.path(), 1_000).append(vec![raise("first")]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_export_of_a_range_of_time_cannot_be_imported() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = filled(folder.path()).await;
    let held = store.alerts(AlertQuery::newest(5)).await.unwrap().items;
    let range =
        ExportRange { since: Some(held[1].value.raised_at), until: Some(held[3].value.raised_at) };
    let (counts, lines) = exported_part(folder.path(), range);
    // The range contains the second and the third alert, and the messages between them.
    assert_eq!(counts, Counts { events: 4, alerts: 2, messages: 2, keys: 0 });
    let refused = import(copy.path(), &mut lines.as_slice(), NEW).unwrap_err();
    assert!(
        refused.to_string().starts_with("line 1: the export covers only a range of time"),
        "{refused}"
    );
}

/// Counts the files in a folder, except the lock file.
fn left_in(folder: &Path) -> usize {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name != "northgate.lock").count()
}

/// Returns the index of the first line with an alert.
fn first_alert(lines: &[&str]) -> usize {
    lines.iter().position(|line| line.starts_with("{\"alert\"")).unwrap()
}

fn id_in(line: &str) -> &str {
    let (_, id) = line.split_once("\"id\":\"").unwrap();
    &id[..36]
}

#[tokio::test]
async fn an_incomplete_or_changed_export_creates_no_store_and_no_file() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    filled(folder.path()).await.close().await;
    let text = String::from_utf8(exported(folder.path()).1).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let last = lines.len() - 1;
    let replaced = |at: usize, with: &str| {
        let mut lines = lines.clone();
        lines[at] = with;
        lines.join("\n") + "\n"
    };
    let without = |at: usize| {
        let mut lines = lines.clone();
        lines.remove(at);
        lines.join("\n") + "\n"
    };
    let version = format!("\"version\":{}", northgate_storage::codec::VERSION);
    let mut cases = vec![
        String::new(),
        "\n".to_owned(),
        "x".repeat(2 * 1024 * 1024),
        text.trim_end().to_owned(),
        text.clone() + lines[1] + "\n",
        text.clone() + &text,
        replaced(0, &lines[0].replace("\"format\":1", "\"format\":2")),
        replaced(0, &lines[0].replace("\"trimmed\":15", "\"trimmed\":18446744073709551615")),
        replaced(0, lines[1]),
        replaced(1, &lines[1].replace(&version, "\"version\":255")),
        replaced(1, "{\"event\":{\"offset\":16,\"version\":1,\"shape\":[]}}"),
        replaced(2, lines[1]),
        replaced(12, lines[11]),
        replaced(last, &lines[last].replace("\"keys\":1", "\"keys\":2")),
        "{\"northgate_export\":{\"format\":1,\"whole\":true,\"trimmed\":3}}\n\
         {\"end\":{\"events\":0,\"alerts\":0,\"messages\":0,\"keys\":0}}\n"
            .to_owned(),
    ];
    let (first, second) = (first_alert(&lines), first_alert(&lines) + 1);
    cases.push(replaced(second, &lines[second].replace(id_in(lines[second]), id_in(lines[first]))));
    // An export without any one of its lines is refused.
    cases.extend((0..lines.len()).map(without));
    for case in cases {
        let refused = import(copy.path(), &mut case.as_bytes(), NEW);
        let Err(error @ ImportError::Line { .. }) = refused else { panic!("{case}: {refused:?}") };
        assert!(!error.to_string().contains('\n'), "one line: {error}");
        assert_eq!(left_in(copy.path()), 0, "{error}");
    }
    import(copy.path(), &mut text.as_bytes(), NEW).unwrap();
    let refused = import(copy.path(), &mut text.as_bytes(), NEW);
    assert!(matches!(refused, Err(ImportError::NotEmpty { .. })), "{refused:?}");
    assert_eq!(check(copy.path()).unwrap().events, 10);
}

#[tokio::test]
async fn the_epoch_can_be_renewed_only_while_no_store_uses_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path()).await;
    let was = everything(&store).await;
    assert!(renew_epoch(folder.path(), NEW).is_err(), "a store uses the folder");
    store.close().await;
    renew_epoch(folder.path(), NEW).unwrap();
    assert_eq!(check(folder.path()).unwrap().head, Position { epoch: NEW, offset: 25 });
    assert_eq!(everything(&open(folder.path(), 1_000)).await, was);
    let none = folder.path().join("none");
    assert!(renew_epoch(&none, NEW).is_err());
    assert!(!none.exists(), "no folder is created");
}

#[tokio::test]
async fn a_check_finds_missing_and_stale_entries_of_the_search_indices() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await.close().await;
    let copy = folder.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    backup(folder.path(), &copy.join("northgate.db"), NEW).unwrap();
    check(&copy).unwrap();
    let connection = rusqlite::Connection::open(copy.join("northgate.db")).unwrap();
    let change = |sql: &str| {
        connection.execute(sql, []).unwrap();
        check(&copy).unwrap_err().to_string()
    };
    let error = change("DELETE FROM message_words WHERE rowid = 2");
    assert_eq!(
        error,
        "is not intact: 1 messages are missing from the search index, and 0 of its entries are \
         stale; restore a backup; without one, try to export the data and import it into a new folder"
    );
    let error = change("DELETE FROM alert_ids WHERE rowid IN (1, 3)");
    assert_eq!(
        error,
        "is not intact: 2 alerts are missing from the id index, and 0 of its entries are stale; \
         restore a backup; without one, try to export the data and import it into a new folder"
    );
    let error = change("DELETE FROM alerts WHERE place = 5");
    assert_eq!(
        error,
        "is not intact: 0 alerts are missing from the search index, and 1 of its entries are \
         stale; restore a backup; without one, try to export the data and import it into a new folder"
    );
}

#[tokio::test]
async fn a_check_finds_columns_and_counts_that_differ_from_the_records() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await.close().await;
    let connection = rusqlite::Connection::open(folder.path().join("northgate.db")).unwrap();
    for (change, undo) in [
        ("status = 2", "status = 0"),
        ("severity = 3", "severity = 1"),
        ("source = 'x'", "source = NULL"),
        ("dedup_key = 'x'", "dedup_key = NULL"),
        ("expires_at = 1", "expires_at = NULL"),
        ("updated_at = updated_at + 1", "updated_at = updated_at - 1"),
    ] {
        let set = |what: &str| format!("UPDATE alerts SET {what} WHERE place = 5");
        connection.execute(&set(change), []).unwrap();
        let error = check(folder.path()).unwrap_err().to_string();
        assert_eq!(
            error,
            "is not intact: the columns of the alert at offset 5 differ from its record; restore a \
             backup; without one, try to export the data and import it into a new folder",
            "{change}"
        );
        connection.execute(&set(undo), []).unwrap();
        check(folder.path()).unwrap();
    }
    let newest = "UPDATE events SET alert = alert + 1 WHERE place =
                      (SELECT max(place) FROM events WHERE alert IS NOT NULL)";
    connection.execute(newest, []).unwrap();
    let error = check(folder.path()).unwrap_err().to_string();
    assert_eq!(
        error,
        "is not intact: 1 events refer to a wrong alert or to none; restore a backup; without \
         one, try to export the data and import it into a new folder"
    );
    connection.execute(&newest.replace("alert + 1", "alert - 1"), []).unwrap();
    connection.execute("UPDATE tally SET alerts = alerts + 1", []).unwrap();
    let error = check(folder.path()).unwrap_err().to_string();
    assert_eq!(
        error,
        "is not intact: the stored counts of alerts differ from the alerts; restore a backup; \
         without one, try to export the data and import it into a new folder"
    );
}

#[tokio::test]
async fn a_backup_refuses_the_names_of_database_files() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await.close().await;
    for name in ["northgate.db-journal", "northgate.db-wal", "northgate.lock.old"] {
        let file = folder.path().join(name);
        let refused = backup(folder.path(), &file, Epoch::new(9)).unwrap_err();
        assert!(matches!(refused, BackupError::OfTheData { .. }), "{refused}");
        assert!(!file.exists());
    }
    backup(folder.path(), &folder.path().join("backup.db"), Epoch::new(9)).unwrap();
}
