//! `northgate check`, beside a running server and on data that was damaged.

use super::client::post;
use super::program::Setup;
use super::{ALERT, with_data};
use std::path::Path;

fn check(folder: &Path) -> Setup {
    Setup::new(&["check", "--data", folder.to_str().unwrap()])
}

#[test]
fn data_in_use_is_found_whole_and_a_damaged_copy_of_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_data(folder.path()).serve();
    assert_eq!(post(server.address(), "/alerts", ALERT).status, 200);
    let variable = folder.path().to_str().unwrap();
    let by_variable = Setup::new(&["check"]).variable("NORTHGATE__STORAGE__DATA", variable);
    for setup in [check(folder.path()), by_variable] {
        let whole = setup.end();
        assert_eq!((whole.code, whole.stderr.len()), (Some(0), 0), "{whole:?}");
        assert_eq!(whole.stdout.len(), 1, "{whole:?}");
        assert!(whole.stdout[0].ends_with("is whole: 1 events, the newest at offset 1"));
    }
    assert_eq!(server.stop().code, Some(0));

    let log = folder.path().join("northgate.db-wal");
    assert!(!log.exists(), "a server that has stopped leaves everything in one file");
    let database = folder.path().join("northgate.db");
    let mut bytes = std::fs::read(&database).unwrap();
    bytes[4096..].fill(0x5A);
    std::fs::write(&database, bytes).unwrap();
    let damaged = check(folder.path()).end();
    assert_eq!((damaged.code, damaged.stdout.len()), (Some(1), 0), "{damaged:?}");
    assert_eq!(damaged.stderr.len(), 1, "{damaged:?}");
    assert!(damaged.stderr[0].starts_with("northgate: the data in "), "{damaged:?}");
}

#[test]
fn a_check_of_nothing_changes_nothing_and_without_a_folder_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = check(&folder.path().join("none")).end();
    assert_eq!((nothing.code, nothing.stderr.len()), (Some(1), 1), "{nothing:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let unsaid = Setup::new(&["check"]).end();
    assert_eq!((unsaid.code, unsaid.stderr.len()), (Some(2), 1), "{unsaid:?}");
}
