//! A server that is killed repeatedly while clients write and read.

use crate::recording_client::{PUBLISHERS, RecordedAlert, RecordingClient, assert_stored};
use crate::{random, text, with_data};
use fastrand::Rng;
use northgate_storage_sqlite::check;
use northgate_testkit::{Client, JSON, PATIENCE, is_full_run};
use serde_json::json;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

/// Number of kills in an ordinary run, and in a full one.
const KILLS: (usize, usize) = (20, 200);
/// Upper bound of answers before a kill.
const MOST_ANSWERS: u64 = 500;
/// Upper bound of the random pause before a kill, in microseconds.
const MOST_MICROS: u64 = 4_000;

/// Publishes alerts from `number` on until the server is killed, and returns the next number.
fn publish(
    server: Client,
    publisher: usize,
    mut number: u64,
    answered: &Sender<RecordedAlert>,
) -> u64 {
    loop {
        let message = format!("{publisher}:{number}");
        let body = json!({"message": message, "location": "North Gate"}).to_string();
        // An unanswered alert is not sent again, because it may be stored already.
        number += 1;
        let Ok(answer) = server.try_request("POST", "/alerts", JSON, body) else {
            return number;
        };
        assert_eq!(answer.status, 200);
        let seen = RecordedAlert::of(&answer.json());
        assert_eq!(message, format!("{}:{}", seen.publisher, seen.number));
        answered.send(seen).unwrap();
    }
}

/// Runs a server, and kills it while all publishers write and a client follows. Returns the
/// answered alerts.
fn live_and_die(
    folder: &Path,
    random: &mut Rng,
    numbers: &mut [u64; PUBLISHERS],
    follower: &mut RecordingClient,
) -> Vec<RecordedAlert> {
    let program = with_data(folder).serve();
    let server = *program;
    let (answered, answers) = channel();
    thread::scope(|threads| {
        threads.spawn(|| follower.follow(server, false));
        for (publisher, number) in numbers.iter_mut().enumerate() {
            let answered = answered.clone();
            threads.spawn(move || *number = publish(server, publisher, *number, &answered));
        }
        drop(answered);
        let first = random.u64(1..=MOST_ANSWERS);
        let mut reported: Vec<_> =
            (0..first).map(|_| answers.recv_timeout(PATIENCE).expect("an answer")).collect();
        // A random pause, so that each kill interrupts the server at a different point.
        thread::sleep(Duration::from_micros(random.u64(0..MOST_MICROS)));
        // Sends SIGKILL, which the server cannot handle.
        drop(program);
        reported.extend(answers.iter());
        reported
    })
}

#[test]
fn every_answered_alert_survives_kills_exactly_once_and_in_order() {
    let mut random = random();
    let kills = if is_full_run() { KILLS.1 } else { KILLS.0 };
    let folder = tempfile::tempdir().unwrap();
    let mut numbers = [0; PUBLISHERS];
    let position =
        |server: Client| text(&server.get("/alerts/history").json(), "position").to_owned();

    let first = with_data(folder.path()).serve();
    let start = position(*first);
    drop(first);
    let mut follower = RecordingClient::at(&start);
    let mut answered = Vec::new();
    let mut before = start.clone();
    for kill in 1..=kills {
        let reported = live_and_die(folder.path(), &mut random, &mut numbers, &mut follower);
        let checked = check(folder.path()).unwrap_or_else(|error| panic!("kill {kill}: {error}"));
        let again = with_data(folder.path()).serve();
        let stored = RecordingClient::replay(*again, &before);
        assert_stored(&stored, &reported);
        assert!(checked.events >= (answered.len() + reported.len()) as u64);
        before = position(*again);
        answered.extend(reported);
        // This server has only read, and is killed too.
        drop(again);
    }

    let last = with_data(folder.path()).serve();
    let all = RecordingClient::replay(*last, &start);
    assert_stored(&all, &answered);
    follower.follow(*last, true);
    assert_eq!(follower.seen.len(), all.len());
    assert!(follower.seen == all, "a client that resumes receives every alert once and in order");
    last.stop().assert_code(0);
    let checked = check(folder.path()).unwrap();
    assert_eq!(checked.events, all.len() as u64);
    println!("{kills} kills, {} alerts answered, {} stored", answered.len(), all.len());
}
