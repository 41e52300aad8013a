//! `northgate check`, beside a running server and on damaged data.

use crate::{ALERT, northgate, with_data};
use northgate_testkit::ProcessBuilder;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn check(folder: &Path) -> ProcessBuilder {
    northgate(&["check", "--data", folder.to_str().unwrap()])
}

#[test]
fn data_in_use_is_intact_and_damaged_data_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_data(folder.path()).serve();
    assert_eq!(server.post("/alerts", ALERT).status, 200);
    let variable = folder.path().to_str().unwrap();
    let by_variable = northgate(&["check"]).variable("NORTHGATE__STORAGE__DATA", variable);
    for setup in [check(folder.path()), by_variable] {
        let whole = setup.run();
        assert_eq!((whole.code, whole.stderr.len()), (Some(0), 0), "{whole:?}");
        assert_eq!(whole.stdout.len(), 1, "{whole:?}");
        assert!(whole.stdout[0].ends_with("is intact: 1 events, the newest at offset 1"));
    }
    server.stop().assert_code(0);

    let log = folder.path().join("northgate.db-wal");
    assert!(!log.exists(), "a stopped server leaves all data in one file");
    let database = folder.path().join("northgate.db");
    let mut bytes = fs::read(&database).unwrap();
    bytes[4096..].fill(0x5A);
    fs::write(&database, bytes).unwrap();
    let damaged = check(folder.path()).run();
    assert_eq!((damaged.code, damaged.stdout.len()), (Some(1), 0), "{damaged:?}");
    assert_eq!(damaged.stderr.len(), 1, "{damaged:?}");
    assert!(damaged.stderr[0].contains(" is not intact: "), "{damaged:?}");
}

#[test]
fn a_check_of_missing_data_fails_and_creates_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = check(&folder.path().join("none")).run();
    assert_eq!((nothing.code, nothing.stderr.len()), (Some(1), 1), "{nothing:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let unsaid = northgate(&["check"]).run();
    assert_eq!((unsaid.code, unsaid.stderr.len()), (Some(2), 1), "{unsaid:?}");
}

#[test]
fn read_only_data_is_intact_with_and_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = with_data(&data).serve();
    assert_eq!(server.post("/alerts", ALERT).status, 200);
    let mode = |mode| fs::set_permissions(&data, Permissions::from_mode(mode)).unwrap();
    let whole = || {
        mode(0o500);
        let checked = check(&data).bound_by_modes().run();
        mode(0o700);
        assert_eq!((checked.code, checked.stderr.len()), (Some(0), 0), "{checked:?}");
        assert!(checked.stdout[0].ends_with("is intact: 1 events, the newest at offset 1"));
    };
    whole();
    server.stop().assert_code(0);
    whole();
    mode(0o000);
    let unreadable = check(&data).bound_by_modes().run();
    mode(0o700);
    assert_eq!(unreadable.code, Some(1), "{unreadable:?}");
    let line = &unreadable.stderr[0];
    let begin = format!("northgate: the data in {} could not be checked: ", data.display());
    assert!(line.starts_with(&begin) && line.contains("Permission denied"), "{line}");
}

#[test]
fn data_of_an_older_server_is_intact_and_its_schema_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let schema_3 = include_bytes!("../../../storage-sqlite/tests/data/schema-3.db");
    fs::write(folder.path().join("northgate.db"), schema_3).unwrap();
    let whole = check(folder.path()).run();
    assert_eq!((whole.code, whole.stderr.len()), (Some(0), 0), "{whole:?}");
    let line = "is intact: 4 events, the newest at offset 5 \
                (schema 3; the server updates it at start)";
    assert!(whole.stdout[0].ends_with(line), "{whole:?}");
}
