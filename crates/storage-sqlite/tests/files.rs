//! Tests of the files that a store, a backup and an import create: their modes, and files that a
//! killed process left.
#![expect(clippy::unwrap_used, reason = "helper functions of tests may panic, as tests may")]

use northgate_domain::Epoch;
use northgate_storage::EventStore;
use northgate_storage_sqlite::{
    ExportRange, OpenError, Options, SqliteStore, backup, check, export, import,
};
use northgate_testkit::ManualClock;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

const EPOCH: Epoch = Epoch::new(7);
/// An export of an empty store.
const EMPTY_EXPORT: &str = "{\"northgate_export\":{\"format\":1,\"whole\":true,\"trimmed\":0}}\n\
     {\"end\":{\"events\":0,\"alerts\":0,\"messages\":0,\"keys\":0}}\n";

fn open(folder: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(folder, &Options::new(EPOCH), ManualClock::at(0).meta())
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn modes_in(folder: &Path) -> Vec<(String, u32)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut modes: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), mode(&entry.path())))
        .collect();
    modes.sort();
    modes
}

// Modes.

#[tokio::test]
async fn only_the_owner_can_read_new_data() {
    let above = tempfile::tempdir().unwrap();
    fs::set_permissions(above.path(), Permissions::from_mode(0o755)).unwrap();
    let (parent, data) = (above.path().join("new"), above.path().join("new/data"));
    let store = open(&data).unwrap();
    assert_eq!((mode(above.path()), mode(&parent), mode(&data)), (0o755, 0o700, 0o700));
    let files = ["northgate.db", "northgate.db-shm", "northgate.db-wal", "northgate.lock"];
    assert_eq!(modes_in(&data), files.map(|name| (name.to_owned(), 0o600)));
    let copy = above.path().join("copy");
    backup(&data, &copy, EPOCH).unwrap();
    assert_eq!(mode(&copy), 0o600);
    store.close().await;

    let imported = above.path().join("imported");
    import(&imported, &mut EMPTY_EXPORT.as_bytes(), EPOCH).unwrap();
    let files = ["northgate.db", "northgate.lock"];
    assert_eq!(modes_in(&imported), files.map(|name| (name.to_owned(), 0o600)));
    assert_eq!(mode(&imported), 0o700);
}

#[tokio::test]
async fn the_modes_of_existing_files_do_not_change() {
    let data = tempfile::tempdir().unwrap();
    open(data.path()).unwrap().close().await;
    let database = data.path().join("northgate.db");
    fs::set_permissions(data.path(), Permissions::from_mode(0o750)).unwrap();
    fs::set_permissions(&database, Permissions::from_mode(0o640)).unwrap();
    let _store = open(data.path()).unwrap();
    assert_eq!((mode(data.path()), mode(&database)), (0o750, 0o640));
}

// Backups that were killed or are running.

#[tokio::test]
async fn a_backup_reuses_the_partial_file_of_a_killed_backup() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap().close().await;
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("northgate.db");
    let partial = copies.path().join("northgate.db.partial");
    let database = fs::read(folder.path().join("northgate.db")).unwrap();
    for left in [&database[..5_000], &[0; 8_192], &[]] {
        fs::write(&partial, left).unwrap();
        fs::set_permissions(&partial, Permissions::from_mode(0o644)).unwrap();
        backup(folder.path(), &copy, EPOCH).unwrap();
        assert_eq!(modes_in(copies.path()), [("northgate.db".to_owned(), 0o600)]);
        check(copies.path()).unwrap();
        fs::remove_dir_all(copies.path()).unwrap();
        fs::create_dir(copies.path()).unwrap();
    }
}

#[tokio::test]
async fn a_backup_does_not_change_the_partial_file_of_a_running_backup() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap().close().await;
    let copy = folder.path().join("copy");
    let partial = folder.path().join("copy.partial");
    fs::write(&partial, "SQLite format 3\0 and more").unwrap();
    let at_work = File::open(&partial).unwrap();
    at_work.lock().unwrap();
    let refused = backup(folder.path(), &copy, EPOCH).unwrap_err().to_string();
    assert!(refused.starts_with("another backup is writing "), "{refused}");
    assert_eq!(fs::read(&partial).unwrap(), b"SQLite format 3\0 and more");
    drop(at_work);
    backup(folder.path(), &copy, EPOCH).unwrap();
    assert!(!partial.exists());
}

#[tokio::test]
async fn a_backup_never_overwrites_a_file_of_another_program() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap().close().await;
    let copy = folder.path().join("copy");
    let partial = folder.path().join("copy.partial");
    fs::write(&partial, "a letter to Anna").unwrap();
    let refused = backup(folder.path(), &copy, EPOCH).unwrap_err().to_string();
    assert!(
        refused.ends_with(
            "copy.partial already exists and was not changed; move it away, or choose another name \
             for the backup"
        ),
        "{refused}"
    );
    assert_eq!(fs::read(&partial).unwrap(), b"a letter to Anna");

    fs::remove_file(&partial).unwrap();
    let empty = folder.path().join("empty");
    fs::write(&empty, "").unwrap();
    symlink(&empty, &partial).unwrap();
    assert!(backup(folder.path(), &copy, EPOCH).is_err(), "the partial file is a symbolic link");
    assert_eq!(fs::read(&empty).unwrap(), b"");
    assert!(!copy.exists());
}

// Imports that were killed.

#[tokio::test]
async fn a_store_does_not_start_while_an_import_is_unfinished() {
    let folder = tempfile::tempdir().unwrap();
    let partial = folder.path().join("northgate.db.partial");
    fs::write(&partial, "SQLite format 3\0").unwrap();
    let Err(refused) = open(folder.path()) else { panic!("the store started empty") };
    assert!(matches!(refused, OpenError::UnfinishedImport { .. }), "{refused:?}");
    let text = format!(
        "the import into {} has not finished; if it is not running, start it again, or remove {}",
        folder.path().display(),
        partial.display()
    );
    assert_eq!(refused.to_string(), text);
    // Export, backup and check report the same error.
    let exported = export(folder.path(), ExportRange::default(), Vec::new()).unwrap_err();
    assert_eq!(exported.to_string(), text);
    assert_eq!(
        backup(folder.path(), &folder.path().join("b"), EPOCH).unwrap_err().to_string(),
        text
    );
    assert!(check(folder.path()).unwrap_err().to_string().contains(&text));
    let database = folder.path().join("northgate.db");
    assert!(!database.exists());
    fs::write(&database, "").unwrap();
    assert!(open(folder.path()).is_err(), "an empty file is no database");

    import(folder.path(), &mut EMPTY_EXPORT.as_bytes(), EPOCH).unwrap();
    assert!(!partial.exists());
    fs::write(&partial, "left").unwrap();
    open(folder.path()).unwrap().close().await;
}

#[tokio::test]
async fn an_import_refuses_a_folder_with_the_log_of_another_database() {
    let folder = tempfile::tempdir().unwrap();
    let import = || import(folder.path(), &mut EMPTY_EXPORT.as_bytes(), EPOCH);
    for log in ["northgate.db-wal", "northgate.db-journal"] {
        fs::write(folder.path().join(log), "some pages").unwrap();
        let refused = import().unwrap_err().to_string();
        assert!(refused.starts_with("there is already data in "), "{refused}");
        assert_eq!(fs::read(folder.path().join(log)).unwrap(), b"some pages");
        fs::remove_file(folder.path().join(log)).unwrap();
    }
    // A server that is killed before its first write leaves empty files, which do not count as
    // data.
    for name in ["northgate.db", "northgate.db-wal"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    import().unwrap();
    check(folder.path()).unwrap();
}

#[tokio::test]
async fn a_missing_database_is_detected_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("northgate.db");
    drop(open(folder.path()).unwrap());
    let aside = folder.path().join("aside");
    fs::rename(&database, &aside).unwrap();
    for make in [|_: &Path| (), |empty: &Path| fs::write(empty, "").unwrap()] {
        make(&database);
        let refused = open(folder.path()).err().unwrap().to_string();
        assert!(refused.contains("is missing or empty"), "{refused}");
        assert!(refused.contains("remove northgate.lock"), "{refused}");
    }
    fs::rename(&aside, &database).unwrap();
    drop(open(folder.path()).unwrap());
    fs::remove_file(&database).unwrap();
    fs::remove_file(folder.path().join("northgate.lock")).unwrap();
    drop(open(folder.path()).unwrap());
}
