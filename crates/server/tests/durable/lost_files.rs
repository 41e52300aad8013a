//! Files of the data folder that are moved, deleted or truncated while a server runs: no write is
//! answered with success that a restart would not find.

use crate::{ALERT, with_data};
use northgate_testkit::{Process, eventually};
use serde_json::Value;
use std::fs;
use std::path::Path;

fn raise(server: &Process) -> Result<Value, u16> {
    let answer = server.post("/alerts", ALERT);
    if answer.status == 200 { Ok(answer.json()) } else { Err(answer.status) }
}

/// Waits until the readiness probe fails with a reason that names `file`.
fn not_ready_for(server: &Process, file: &str) {
    eventually(|| {
        let answer = server.get("/health/ready");
        let names_it = || answer.json()["detail"].as_str().is_some_and(|text| text.contains(file));
        answer.status == 503 && names_it()
    });
}

/// Kills `server`, and returns the alerts that a new server finds in `data`.
fn alerts_after_a_kill(server: Process, data: &Path) -> Value {
    server.signal("KILL");
    drop(server);
    let after = with_data(data).serve();
    after.get("/alerts").json()["alerts"].clone()
}

#[test]
fn a_moved_folder_accepts_no_write_until_it_is_moved_back() {
    let folder = tempfile::tempdir().unwrap();
    let (data, aside) = (folder.path().join("data"), folder.path().join("aside"));
    let server = with_data(&data).serve();
    let mut raised = vec![raise(&server).unwrap()];
    fs::rename(&data, &aside).unwrap();
    assert_eq!(raise(&server), Err(503));
    not_ready_for(&server, "northgate.db");
    fs::rename(&aside, &data).unwrap();
    eventually(|| server.get("/health/ready").status == 200);
    raised.push(raise(&server).unwrap());
    assert_eq!(alerts_after_a_kill(server, &data), Value::from(raised));
}

#[test]
fn answered_alerts_survive_a_deleted_write_ahead_log_and_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_data(folder.path()).serve();
    let raised: Vec<_> = (0..10).map(|_| raise(&server).unwrap()).collect();
    fs::remove_file(folder.path().join("northgate.db-wal")).unwrap();
    assert_eq!(raise(&server), Err(503));
    not_ready_for(&server, "northgate.db-wal");
    assert_eq!(alerts_after_a_kill(server, folder.path()), Value::from(raised));
}

#[test]
fn a_server_whose_lock_file_was_replaced_accepts_no_write() {
    let folder = tempfile::tempdir().unwrap();
    let first = with_data(folder.path()).serve();
    // The lock file is replaced in one step, because a missing lock file would be another problem
    // with another log line.
    let (other, lock) = (folder.path().join("other"), folder.path().join("northgate.lock"));
    fs::write(&other, "").unwrap();
    fs::rename(&other, &lock).unwrap();
    let second = with_data(folder.path()).serve();
    assert_eq!(raise(&first), Err(503), "another server uses the folder");
    not_ready_for(&first, "northgate.lock");
    assert!(raise(&second).is_ok());
    assert_eq!(first.stop().count_logged("northgate.lock"), 1, "it is logged once");
}

#[test]
fn a_truncated_database_accepts_no_write() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_data(folder.path()).serve();
    raise(&server).unwrap();
    let database =
        fs::File::options().write(true).open(folder.path().join("northgate.db")).unwrap();
    database.set_len(0).unwrap();
    assert_eq!(raise(&server), Err(503));
    not_ready_for(&server, "northgate.db");
}
