//! A disk that becomes full and then has free space again while a server runs. The file size limit
//! of the process simulates it, which needs no privileges and affects only that process.

use crate::with_data;
use northgate_testkit::{HttpResponse, JSON, Process, WebSocket, eventually};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use std::path::Path;

/// Limits the size of every file that `server` writes to `bytes`, or removes the limit.
fn limit_files(server: &Process, bytes: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
    let limit = Rlimit { current: bytes, maximum: None };
    prlimit(Some(pid), Resource::Fsize, limit).unwrap();
}

fn raise(server: &Process, key: &str, message: &str) -> HttpResponse {
    let body = json!({"message": message, "location": "North Gate"}).to_string();
    server.request("POST", "/alerts", &format!("{JSON}Idempotency-Key: {key}\r\n"), body)
}

fn readiness(server: &Process) -> u16 {
    server.get("/health/ready").status
}

fn alerts(server: &Process) -> Vec<Value> {
    let history = server.get("/alerts?limit=1000");
    assert_eq!(history.status, 200);
    history.json()["alerts"].as_array().unwrap().clone()
}

/// Simulates one full disk and its recovery, and adds all alerts that were answered to `answered`.
fn trouble(server: &Process, socket: &mut WebSocket, round: usize, answered: &mut Vec<Value>) {
    limit_files(server, Some(4_096));
    for n in 0..5 {
        let refused = raise(server, &format!("{round}:{n}"), &format!("{round}:{n}"));
        assert_eq!(refused.status, 503);
        assert_eq!(refused.header("content-type"), Some("application/problem+json"));
        let kind = refused.json()["type"].clone();
        let kinds = ["urn:northgate:problem:unavailable", "urn:northgate:problem:outcome-unknown"];
        assert!(kinds.iter().any(|known| kind == *known), "{kind}");
    }
    assert_eq!(readiness(server), 503);
    assert_eq!(server.get("/health/live").status, 200);
    assert_eq!(alerts(server), *answered, "the stored alerts can be read, and no others exist");

    limit_files(server, None);
    eventually(|| readiness(server) == 200);
    for n in 0..5 {
        let again = raise(server, &format!("{round}:{n}"), &format!("{round}:{n}"));
        assert_eq!(again.status, 200);
        assert_eq!(socket.next_json(), again.json(), "the socket is still connected");
        answered.push(again.json());
    }
    assert_eq!(alerts(server), *answered);
}

fn runs_into_full_disks(folder: &Path) -> Vec<Value> {
    let server = with_data(folder).serve();
    let mut socket = server.socket();
    let mut answered = vec![raise(&server, "first", "first").json()];
    assert_eq!(socket.next_json(), answered[0]);
    assert_eq!(readiness(&server), 200);
    for round in 0..3 {
        trouble(&server, &mut socket, round, &mut answered);
    }
    let ended = server.stop().assert_code(0);
    for (line, times) in
        [("the store cannot write events", 3), ("the store can write events again", 3)]
    {
        let logged = ended.count_logged(line);
        assert_eq!(logged, times, "each failure and each recovery is logged once: {ended:?}");
    }
    answered
}

#[test]
fn a_full_disk_loses_no_answered_event_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let answered = runs_into_full_disks(folder.path());
    northgate_storage_sqlite::check(folder.path()).unwrap();
    let after = with_data(folder.path()).serve();
    assert_eq!(alerts(&after), answered, "after a restart each alert is there once and in order");
}
