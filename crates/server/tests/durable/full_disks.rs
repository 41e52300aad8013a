//! A disk that takes nothing any more, and then does again, under a server that runs: the limit on
//! the size of files stands for it, which needs no rights and reaches only that process.

use crate::with_data;
use northgate_testkit::{HttpResponse, JSON, Process, WebSocket, eventually};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use std::path::Path;

/// Lets `server` write no further than so many bytes into any file, or as far as it likes.
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

/// One time without a disk; what is answered with 200 goes to `answered`.
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
    assert_eq!(alerts(server), *answered, "what was kept can be read, and nothing else is there");

    limit_files(server, None);
    eventually(|| readiness(server) == 200);
    for n in 0..5 {
        let again = raise(server, &format!("{round}:{n}"), &format!("{round}:{n}"));
        assert_eq!(again.status, 200);
        assert_eq!(socket.next_json(), again.json(), "the socket is still there");
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
        assert_eq!(logged, times, "each trouble is logged once, and so is its end: {ended:?}");
    }
    answered
}

#[test]
fn a_full_disk_loses_no_answered_event_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let answered = runs_into_full_disks(folder.path());
    northgate_storage_sqlite::check(folder.path()).unwrap();
    let after = with_data(folder.path()).serve();
    assert_eq!(alerts(&after), answered, "as it was, each once and in order, after a restart");
}
