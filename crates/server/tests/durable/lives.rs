//! A server that is killed repeatedly while alerts are raised, repeated, acted on, and resolved.

use crate::recording_client::{RecordedFrame, RecordingClient};
use crate::{northgate, random, text};
use fastrand::Rng;
use northgate_storage_sqlite::check;
use northgate_testkit::{Client, HttpResponse, JSON, PATIENCE, Process, is_full_run};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

/// Number of kills in an ordinary run, and in a full one.
const KILLS: (usize, usize) = (12, 100);
/// Number of senders that raise the same two alerts repeatedly.
const RAISERS: usize = 6;
const KEYS: [&str; 2] = ["disk", "fan"];
/// Repeat window. The window is short, so that kills happen in every state of pending repeats.
const WINDOW: &str = "2ms";
/// Upper bound of answers before a kill.
const MOST_ANSWERS: u64 = 300;
/// Upper bound of the random pause before a kill, in microseconds.
const MOST_MICROS: u64 = 4_000;

/// A frame about an alert, of any kind.
#[derive(Debug, PartialEq)]
struct Step(Value);

impl RecordedFrame for Step {
    const TYPES: &str = "alert,alert_update";

    fn of(frame: Value) -> Self {
        Self(frame)
    }
}

/// All responses with status 200, and the number of raises without a response.
#[derive(Default)]
struct Responses {
    /// The alert in the answer to each raise.
    raises: Vec<Value>,
    /// The alert in the answer to each action, whether the action changed the alert or not.
    actions: Vec<Value>,
    /// Number of raises without an answer, whose outcome is unknown.
    lost: u64,
}

enum Response {
    Raise(Value),
    Action(Value),
    Lost,
}

fn send(server: Client, path: &str, body: &Value) -> std::io::Result<HttpResponse> {
    server.try_request("POST", path, JSON, body.to_string())
}

/// Raises alerts until the server is killed.
fn raise(server: Client, raiser: usize, sender: &Sender<Response>) {
    for key in KEYS.iter().cycle().skip(raiser) {
        let body = json!({ "message": "Hot", "location": "Gate", "dedup_key": key });
        let Ok(answer) = send(server, "/alerts", &body) else {
            sender.send(Response::Lost).unwrap();
            return;
        };
        assert_eq!(answer.status, 200, "{}", answer.json());
        sender.send(Response::Raise(answer.json())).unwrap();
    }
}

/// Acts repeatedly on alerts that are not resolved, until the server is killed.
fn operate(server: Client, mut random: Rng, sender: &Sender<Response>) {
    loop {
        let path = "/alerts?status=open,acknowledged";
        let Ok(found) = server.try_request("GET", path, "", b"") else { return };
        let found = found.json();
        let alerts = found["alerts"].as_array().unwrap();
        if alerts.is_empty() {
            continue;
        }
        let alert = random.choice(alerts).unwrap();
        let actions = ["acknowledge", "unacknowledge", "notes", "notes", "resolve"];
        let action = random.choice(actions).unwrap();
        let path = format!("/alerts/{}/{action}", text(alert, "id"));
        let Ok(answer) = send(server, &path, &json!({ "by": "Anna", "note": "Seen" })) else {
            return;
        };
        assert_eq!(answer.status, 200, "{}", answer.json());
        sender.send(Response::Action(answer.json())).unwrap();
    }
}

/// Runs a server, and kills it while clients write and read.
fn live_and_die(
    folder: &Path,
    random: &mut Rng,
    follower: &mut RecordingClient<Step>,
    responses: &mut Responses,
) {
    let program = serve(folder);
    let server = *program;
    let (sender, received) = channel();
    let own = random.fork();
    thread::scope(|threads| {
        threads.spawn(|| follower.follow(server, false));
        for raiser in 0..RAISERS {
            let sender = sender.clone();
            threads.spawn(move || raise(server, raiser, &sender));
        }
        threads.spawn(move || operate(server, own, &sender));
        let mut record = |response| match response {
            Response::Raise(alert) => responses.raises.push(alert),
            Response::Action(alert) => responses.actions.push(alert),
            Response::Lost => responses.lost += 1,
        };
        for _ in 0..=random.u64(0..MOST_ANSWERS) {
            record(received.recv_timeout(PATIENCE).expect("an answer"));
        }
        // A random pause, so that each kill interrupts the server at a different point.
        thread::sleep(Duration::from_micros(random.u64(0..MOST_MICROS)));
        // Sends SIGKILL, which the server cannot handle.
        drop(program);
        received.iter().for_each(record);
    });
}

fn serve(folder: &Path) -> Process {
    let data = folder.to_str().unwrap();
    northgate(&["--data", data, "--repeat-window", WINDOW]).serve()
}

fn number(alert: &Value, name: &str) -> u64 {
    alert[name].as_u64().unwrap()
}

/// Removes the members of an alert that differ between a frame and an answer.
fn state(mut alert: Value) -> Value {
    for name in ["type", "change", "by", "note", "position"] {
        alert.as_object_mut().unwrap().remove(name);
    }
    alert
}

/// Returns the states of each alert in order, and checks that each revision exists exactly once.
fn lives(steps: &[Step]) -> HashMap<String, Vec<Value>> {
    let mut lives = HashMap::<_, Vec<_>>::new();
    for Step(frame) in steps {
        let life = lives.entry(text(frame, "id").to_owned()).or_default();
        life.push(state(frame.clone()));
        assert_eq!(number(frame, "revision"), life.len() as u64, "{frame}");
    }
    lives
}

/// Checks that every response matches the log, and that every raise is counted once.
fn assert_stored(lives: &HashMap<String, Vec<Value>>, responses: &Responses) {
    for alert in responses.raises.iter().chain(&responses.actions) {
        let life = lives.get(text(alert, "id")).expect("an answered state is stored");
        let revision = usize::try_from(number(alert, "revision")).unwrap();
        let then = life.get(revision - 1).expect("an answered state is stored");
        assert_eq!(then, &state(alert.clone()));
    }
    let counted: u64 = lives.values().map(|life| number(life.last().unwrap(), "count")).sum();
    let answered = responses.raises.len() as u64;
    let sent = answered + responses.lost;
    assert!((answered..=sent).contains(&counted), "{answered} <= {counted} <= {sent}");
}

#[test]
fn every_answered_raise_and_action_survives_kills_exactly_once() {
    let mut random = random();
    let kills = if is_full_run() { KILLS.1 } else { KILLS.0 };
    let folder = tempfile::tempdir().unwrap();
    let first = serve(folder.path());
    let start = text(&first.get("/alerts").json(), "position").to_owned();
    drop(first);
    let mut follower = RecordingClient::at(&start);
    let mut responses = Responses::default();
    for kill in 1..=kills {
        live_and_die(folder.path(), &mut random, &mut follower, &mut responses);
        check(folder.path()).unwrap_or_else(|error| panic!("kill {kill}: {error}"));
    }

    let last = serve(folder.path());
    let all = RecordingClient::replay(*last, &start);
    let lives = lives(&all);
    assert_stored(&lives, &responses);
    for (id, life) in &lives {
        let now = last.get(&format!("/alerts/{id}")).json();
        assert_eq!(Some(&state(now)), life.last());
    }
    let open = last.get("/alerts?status=open,acknowledged&limit=1000").json();
    let open: Vec<_> =
        open["alerts"].as_array().unwrap().iter().map(|alert| text(alert, "dedup_key")).collect();
    assert!(open.len() <= KEYS.len(), "at most one unresolved alert per key: {open:?}");
    follower.follow(*last, true);
    assert!(follower.seen == all, "a client that resumes receives every frame once and in order");
    println!(
        "{kills} kills, {} raises and {} actions answered, {} alerts, {} events",
        responses.raises.len(),
        responses.actions.len(),
        lives.len(),
        all.len()
    );
    last.stop().assert_code(0);
}
