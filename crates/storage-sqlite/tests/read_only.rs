//! Tests that, without write access, data can be checked, copied and exported, or the error states
//! what to do.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helper functions of tests may panic, as tests may")]

use northgate_domain::Epoch;
use northgate_storage::{EventLog, EventStore};
use northgate_storage_sqlite::{
    CheckError, ExportRange, Options, SqliteStore, backup, check, export,
};
use northgate_testkit::{ManualClock, raise};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use tempfile::TempDir;

const EPOCH: Epoch = Epoch::new(7);

/// Opens a store with one alert, in a folder whose name contains special characters of URIs.
async fn with_an_alert() -> (TempDir, PathBuf, SqliteStore) {
    let above = tempfile::tempdir().unwrap();
    let data = above.path().join("50% of? ä#1");
    let store = SqliteStore::open(&data, &Options::new(EPOCH), ManualClock::at(0).meta()).unwrap();
    store.append(vec![raise("fire")]).await.unwrap();
    (above, data, store)
}

/// Removes write access to a folder and its files while `work` runs. `work` runs in a thread
/// without capabilities, so that file modes also apply to root.
fn read_only<T: Send>(folder: &Path, mode: u32, work: impl FnOnce() -> T + Send) -> T {
    for entry in fs::read_dir(folder).unwrap() {
        fs::set_permissions(entry.unwrap().path(), Permissions::from_mode(mode)).unwrap();
    }
    fs::set_permissions(folder, Permissions::from_mode(0o500)).unwrap();
    let done = thread::scope(|scope| {
        let bound = scope.spawn(|| {
            let none = CapabilitySet::empty();
            let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
            set_capabilities(None, sets).unwrap();
            assert!(
                File::create(folder.join("probe")).is_err(),
                "the thread still has write access"
            );
            work()
        });
        bound.join().unwrap()
    });
    fs::set_permissions(folder, Permissions::from_mode(0o700)).unwrap();
    done
}

fn names_in(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// Checks, exports and copies the data, and returns the lines of the export.
fn read_in_every_way(folder: &Path) -> Vec<u8> {
    let copies = tempfile::tempdir().unwrap();
    assert_eq!(check(folder).unwrap().events, 1);
    let lines = tempfile::NamedTempFile::new().unwrap();
    let counts = export(folder, ExportRange::default(), lines.reopen().unwrap()).unwrap();
    assert_eq!(counts.alerts, 1);
    backup(folder, &copies.path().join("northgate.db"), EPOCH).unwrap();
    assert_eq!(check(copies.path()).unwrap().events, 1);
    fs::read(lines.path()).unwrap()
}

#[tokio::test]
async fn data_of_a_stopped_server_is_readable_without_write_access() {
    let (_above, data, store) = with_an_alert().await;
    store.close().await;
    let names = names_in(&data);
    assert_eq!(names, ["northgate.db", "northgate.lock"]);
    let lines = read_only(&data, 0o400, || read_in_every_way(&data));
    assert_eq!(names_in(&data), names);
    assert_eq!(read_in_every_way(&data), lines);

    // A check by a process with write access can leave an empty log.
    fs::write(data.join("northgate.db-wal"), "").unwrap();
    let _ = fs::remove_file(data.join("northgate.db-shm"));
    assert_eq!(read_only(&data, 0o400, || read_in_every_way(&data)), lines);
    // The next copy consists of the database only.
    fs::remove_file(data.join("northgate.lock")).unwrap();
    assert_eq!(read_only(&data, 0o400, || read_in_every_way(&data)), lines);
}

#[tokio::test]
async fn data_of_a_killed_server_is_not_read_without_its_write_ahead_log() {
    let (above, data, store) = with_an_alert().await;
    let killed = above.path().join("killed");
    fs::create_dir(&killed).unwrap();
    for name in names_in(&data) {
        fs::copy(data.join(&name), killed.join(&name)).unwrap();
    }
    store.close().await;
    read_only(&killed, 0o400, || read_in_every_way(&killed));

    fs::remove_file(killed.join("northgate.db-shm")).unwrap();
    let copy = above.path().join("copy");
    let (checked, exported, copied) = read_only(&killed, 0o400, || {
        let exported = export(&killed, ExportRange::default(), Vec::new());
        (check(&killed), exported, backup(&killed, &copy, EPOCH))
    });
    let database = killed.join("northgate.db");
    let reason = format!(
        "cannot read {0} together with its write-ahead log {0}-wal, because this process has no \
         write access to them; run this command as the server's user, or on a copy of both files",
        database.display()
    );
    assert_eq!(checked.unwrap_err().to_string(), format!("could not be checked: {reason}"));
    assert_eq!(exported.unwrap_err().to_string(), reason);
    assert_eq!(copied.unwrap_err().to_string(), reason);
}

#[tokio::test]
async fn data_that_a_server_has_locked_is_not_read_without_write_access() {
    let (_above, data, store) = with_an_alert().await;
    store.close().await;
    let lock = File::open(data.join("northgate.lock")).unwrap();
    lock.lock().unwrap();
    let refused = read_only(&data, 0o400, || check(&data).unwrap_err());
    assert!(refused.to_string().contains("run this command as the server's user"), "{refused}");
}

#[tokio::test]
async fn unreadable_data_is_not_reported_as_damaged() {
    let (_above, data, store) = with_an_alert().await;
    store.close().await;
    let refused = read_only(&data, 0o000, || check(&data).unwrap_err());
    assert!(matches!(refused, CheckError::Unreadable(_)), "{refused:?}");
    let file = data.join("northgate.db");
    let reason = format!("could not be checked: cannot read {}: Permission denied", file.display());
    assert!(refused.to_string().starts_with(&reason), "{refused}");

    fs::write(&file, "").unwrap();
    for nothing in [&data, &data.join("none")] {
        let refused = check(nothing).unwrap_err().to_string();
        let reason = format!(
            "could not be checked: {}/northgate.db does not exist or contains no data; check the \
             path of the data folder",
            nothing.display()
        );
        assert_eq!(refused, reason);
    }
}
