//! `northgate backup` beside a running server, and a server that uses the copy.

use crate::{ALERT, CHAT, northgate, with_data};
use northgate_testkit::ProcessOutput;
use serde_json::json;
use std::path::Path;

fn back_up(folder: &Path, to: &Path) -> ProcessOutput {
    northgate(&["backup", "--data", folder.to_str().unwrap(), to.to_str().unwrap()]).run()
}

fn names_in(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn a_backup_beside_a_server_has_all_data_and_a_new_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("northgate.db");
    let server = with_data(folder.path()).serve();
    let alert = server.post("/alerts", ALERT).json();
    let chat = server.post("/message/", CHAT).json();
    let done = back_up(folder.path(), &copy);
    assert_eq!((done.code, done.stderr.len(), done.stdout.len()), (Some(0), 0, 1), "{done:?}");
    assert_eq!(names_in(copies.path()), 1, "only one file was created");
    assert_eq!(server.post("/alerts", ALERT).status, 200, "the server continues");

    northgate(&["check", "--data", copies.path().to_str().unwrap()]).run().assert_code(0);
    let restored = with_data(copies.path()).serve();
    let alerts = restored.get("/alerts").json();
    assert_eq!(alerts["count"], 1, "the state at the time of the backup");
    let (mut shown, mut raised) = (alerts["alerts"][0].clone(), alert.clone());
    assert_ne!(shown["position"], raised["position"], "the copy has another epoch");
    shown["position"] = json!(null);
    raised["position"] = json!(null);
    assert_eq!(shown, raised);
    assert_eq!(restored.get("/message/").json()["chatMessages"][0]["id"], chat["id"]);
    assert_eq!(restored.get("/alerts?q=intruder").json()["count"], 1);
    let old = alert["position"].as_str().unwrap();
    let answer = restored.get(&format!("/alerts?after={old}"));
    assert_eq!(answer.status, 410, "the copy does not accept positions of the old epoch");
}

#[test]
fn a_failed_backup_changes_no_file_and_leaves_none_behind() {
    let folder = tempfile::tempdir().unwrap();
    let copies = tempfile::tempdir().unwrap();
    let taken = copies.path().join("taken");
    std::fs::write(&taken, "something else").unwrap();
    let nothing = back_up(folder.path(), &copies.path().join("new"));
    assert_eq!((nothing.code, nothing.stderr.len()), (Some(1), 1), "{nothing:?}");
    drop(with_data(folder.path()).serve().stop());
    let refused = back_up(folder.path(), &taken);
    assert_eq!((refused.code, refused.stderr.len()), (Some(1), 1), "{refused:?}");
    assert!(refused.stderr[0].contains("already exists and was not changed"), "{refused:?}");
    assert_eq!(std::fs::read(&taken).unwrap(), b"something else");
    let nowhere = back_up(folder.path(), &copies.path().join("none/new"));
    assert_eq!((nowhere.code, nowhere.stderr.len()), (Some(1), 1), "{nowhere:?}");
    assert_eq!(names_in(copies.path()), 1);
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn a_backup_needs_no_hard_links() {
    let folder = tempfile::tempdir().unwrap();
    let copies = tempfile::tempdir().unwrap();
    drop(with_data(folder.path()).serve().stop());
    let library = crate::faulty_disks::build_library("no_hard_links", folder.path());
    let copy = copies.path().join("northgate.db");
    let data = folder.path().to_str().unwrap();
    let backup = northgate(&["backup", "--data", data, copy.to_str().unwrap()]);
    let done = backup.variable("LD_PRELOAD", library.to_str().unwrap()).run();
    assert_eq!((done.code, done.stderr.len()), (Some(0), 0), "{done:?}");
    northgate_storage_sqlite::check(copies.path()).unwrap();
}
