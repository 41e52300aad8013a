//! A disk that fails repeatedly while clients write to a server and follow it: syncs that fail with
//! and without effect, writes that find no free space, and torn writes.

use crate::recording_client::{PUBLISHERS, RecordedAlert, RecordingClient, assert_stored};
use crate::{text, with_data};
use northgate_storage_sqlite::check;
use northgate_testkit::{Client, JSON, Process, eventually, is_full_run};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// Number of server runs, each ended by a kill, in an ordinary test run and in a full one.
const LIVES: (usize, usize) = (3, 20);
const FAULTS: [&str; 4] = ["sync", "late", "full", "torn"];
/// Number of writes that must succeed between two faults.
const ANSWERS: u64 = 100;

/// Builds a library of `tests/disk`, which intercepts the server's calls to its disk. The build
/// uses the C compiler that also links Rust programs.
pub(crate) fn build_library(name: &str, folder: &Path) -> PathBuf {
    let library = folder.join(name).with_extension("so");
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/disk");
    let source = Path::new(sources).join(name).with_extension("c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
    assert!(compiler.status().unwrap().success());
    library
}

/// State that the publishers share with the thread that breaks the disk, in one run of a server.
#[derive(Default)]
struct Life {
    over: AtomicBool,
    failures: AtomicU64,
    answers: AtomicU64,
    answered: Mutex<Vec<RecordedAlert>>,
}

impl Life {
    /// Publishes alerts from `number` on, each with its own idempotency key, and sends each again
    /// until the server accepts it. Returns the number of the alert that was not accepted at the
    /// end. This alert may be stored or not.
    fn publish(&self, server: Client, publisher: usize, mut number: u64) -> u64 {
        while !self.over.load(Ordering::Relaxed) {
            let message = format!("{publisher}:{number}");
            let headers = format!("{JSON}Idempotency-Key: {message}\r\n");
            let body = json!({"message": message, "location": "North Gate"}).to_string();
            let answer = server.request("POST", "/alerts", &headers, body);
            if answer.status == 200 {
                self.answered.lock().unwrap().push(RecordedAlert::of(&answer.json()));
                self.answers.fetch_add(1, Ordering::Relaxed);
                number += 1;
            } else {
                assert_eq!(answer.status, 503);
                self.failures.fetch_add(1, Ordering::Relaxed);
            }
        }
        number
    }

    /// Waits until `counter` has risen by `more`.
    fn await_more(counter: &AtomicU64, more: u64) {
        let before = counter.load(Ordering::Relaxed);
        eventually(|| counter.load(Ordering::Relaxed) >= before + more);
    }

    /// Applies each fault until requests fail, and then removes it and waits until requests
    /// succeed. The last fault stays.
    fn break_disk(&self, fault: &Path) {
        let _over = Over(&self.over);
        for kind in FAULTS {
            Self::await_more(&self.answers, ANSWERS);
            set(fault, kind);
            Self::await_more(&self.failures, 3);
            std::fs::remove_file(fault).unwrap();
        }
        Self::await_more(&self.answers, ANSWERS);
        set(fault, "late");
        Self::await_more(&self.failures, 3);
    }
}

/// Guard that stops the publishers, also after a panic.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Makes the disk fail from now on. The fault file is written under another name and then renamed,
/// because the library must not read an incomplete name of a fault.
fn set(fault: &Path, kind: &str) {
    let whole = fault.with_extension("whole");
    std::fs::write(&whole, kind).unwrap();
    std::fs::rename(&whole, fault).unwrap();
}

fn server_on_faulty_disk(data: &Path, library: &Path, fault: &Path) -> Process {
    with_data(data)
        .variable("LD_PRELOAD", library.to_str().unwrap())
        .variable("NORTHGATE_FAULT_FILE", fault.to_str().unwrap())
        .serve()
}

/// Runs a server on a disk that fails in every way. Kills the server when its last write is on
/// disk, although the server has answered that the write failed.
fn live_and_die(
    server: Process,
    fault: &Path,
    follower: &mut RecordingClient,
    numbers: &mut [u64; PUBLISHERS],
) -> Life {
    let life = Life::default();
    let client = *server;
    thread::scope(|threads| {
        threads.spawn(|| follower.follow(client, false));
        let publishers: Vec<_> = numbers
            .iter_mut()
            .enumerate()
            .map(|(publisher, number)| {
                let life = &life;
                threads.spawn(move || *number = life.publish(client, publisher, *number))
            })
            .collect();
        life.break_disk(fault);
        for publisher in publishers {
            publisher.join().unwrap();
        }
        drop(server);
    });
    std::fs::remove_file(fault).unwrap();
    life
}

#[test]
fn no_disk_failure_loses_or_repeats_an_answered_event() {
    let folder = tempfile::tempdir().unwrap();
    let (data, fault) = (folder.path().join("data"), folder.path().join("fault"));
    let library = build_library("faulty_disk", folder.path());
    let server = with_data(&data).serve();
    let start = text(&server.get("/alerts").json(), "position").to_owned();
    drop(server);
    let mut follower = RecordingClient::at(&start);
    let mut numbers = [0; PUBLISHERS];
    let mut answered = Vec::new();
    let mut failures = 0;
    let lives = if is_full_run() { LIVES.1 } else { LIVES.0 };
    for _ in 0..lives {
        let server = server_on_faulty_disk(&data, &library, &fault);
        let life = live_and_die(server, &fault, &mut follower, &mut numbers);
        answered.extend(life.answered.into_inner().unwrap());
        failures += life.failures.into_inner();
        check(&data).unwrap();
    }
    let after = with_data(&data).serve();
    let stored = RecordingClient::replay(*after, &start);
    assert_stored(&stored, &answered);
    follower.follow(*after, true);
    assert!(
        follower.seen == stored,
        "a client that resumes receives every alert once and in order"
    );
    let faults = lives * (FAULTS.len() + 1);
    println!("{faults} faults, {failures} refused, {} answered", answered.len());
    after.stop().assert_code(0);
}
