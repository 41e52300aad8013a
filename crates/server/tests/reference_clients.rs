//! Tests of the example clients in `docs/PROTOCOL.md`, against a server that is killed and
//! restarted.
#![cfg(unix)]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of this is test code, and the processes are seen from outside, in real time"
)]

use northgate_testkit::{
    Client, JSON, Process, ProcessBuilder, eventually, eventually_within, free_address,
};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Time limit for a client to catch up. Clients pause between their attempts to reconnect.
const CAUGHT_UP: Duration = Duration::from_secs(90);

/// Driver that prints the state of the JavaScript client. Node.js has a WebSocket from version 22
/// on. Versions 20 and 21 need a flag, and earlier versions need the package `ws`.
const NODE: &str = r#"
import { createRequire } from "node:module";
import { watch } from "./client.mjs";
globalThis.WebSocket ??= createRequire(import.meta.url)("ws");
watch(process.argv[2], (alerts, event) => {
  const board = [...alerts.values()].map(({ id, revision }) => [id, revision]);
  console.log(JSON.stringify({ event: event?.position ?? null, board }));
});
"#;

/// Driver that prints the state of the Python client.
const PYTHON: &str = r#"
import json, sys
from client import watch

def show(alerts, event):
    board = [[alert["id"], alert["revision"]] for alert in alerts.values()]
    print(json.dumps({"event": event and event["position"], "board": board}), flush=True)

watch(sys.argv[1], show)
"#;

/// Returns the example client of `docs/PROTOCOL.md` in this language.
fn shown_in_the_protocol(language: &str) -> String {
    let page = std::fs::read_to_string("../../docs/PROTOCOL.md").unwrap();
    let beginning = format!("```{language}\n");
    let mut blocks = page.split(&beginning).skip(1);
    let code = blocks.next().expect("a client").split("```").next().unwrap().to_owned();
    assert!(blocks.next().is_none(), "one client in {language}");
    code
}

/// A running client, and all lines that it has printed.
struct ReferenceClient {
    child: Child,
    lines: Arc<Mutex<Vec<Value>>>,
}

impl ReferenceClient {
    /// Writes `files`, the example client and its driver, and starts `command` with the driver.
    fn start(folder: &Path, command: &[&str], files: [(&str, &str); 2], base: &str) -> Self {
        for (name, text) in files {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let mut child = Command::new(command[0])
            .args(&command[1..])
            .args([files[1].0, base])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} (tests/run.sh installs it): {error}"));
        let lines = Arc::<Mutex<Vec<Value>>>::default();
        let (out, reported) = (child.stdout.take().unwrap(), lines.clone());
        thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                reported.lock().unwrap().push(serde_json::from_str(&line.unwrap()).unwrap());
            }
        });
        Self { child, lines }
    }

    fn node(folder: &Path, base: &str) -> Self {
        let files = [("client.mjs", &*shown_in_the_protocol("js")), ("driver.mjs", NODE)];
        let version = Command::new("node").arg("--version").output().expect("node runs").stdout;
        let asks = version.starts_with(b"v20.") || version.starts_with(b"v21.");
        let command = ["node", "--experimental-websocket"];
        Self::start(folder, if asks { &command } else { &command[..1] }, files, base)
    }

    fn python(folder: &Path, base: &str) -> Self {
        let files = [("client.py", &*shown_in_the_protocol("python")), ("driver.py", PYTHON)];
        Self::start(folder, &["python3"], files, base)
    }

    /// Returns the alerts that the client shows now, as ids and revisions.
    fn board(&self) -> Vec<Value> {
        let lines = self.lines.lock().unwrap();
        sorted(lines.last().map_or_else(Vec::new, |line| line["board"].as_array().unwrap().clone()))
    }

    /// Returns how often the client loaded the complete state, and the offsets of the events that
    /// it showed.
    fn events(&self) -> (usize, Vec<u64>) {
        let lines = self.lines.lock().unwrap();
        let events = lines.iter().filter_map(|line| line["event"].as_str()).map(offset).collect();
        (lines.iter().filter(|line| line["event"].is_null()).count(), events)
    }
}

impl Drop for ReferenceClient {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn sorted(mut board: Vec<Value>) -> Vec<Value> {
    board.sort_by_key(Value::to_string);
    board
}

/// Returns the offset in a position. Only tests may parse it: positions are opaque to clients.
fn offset(position: &str) -> u64 {
    position.rsplit('-').next().unwrap().parse().unwrap()
}

/// Repeats a request until it is answered with 200.
fn insist(server: Client, path: &str, body: &Value, key: &str) -> Value {
    let headers = format!("{JSON}Idempotency-Key: {key}\r\n");
    eventually(|| {
        let answer = server.try_request("POST", path, &headers, body.to_string()).ok()?;
        (answer.status == 200).then(|| answer.json())
    })
}

/// Raises alerts and acts on them until `stop` is set.
fn work(server: Client, stop: &AtomicBool) {
    let mut round = 0;
    while !stop.load(Ordering::Relaxed) {
        let body = json!({ "message": format!("round {round}"), "location": "North Gate" });
        let alert = insist(server, "/alerts", &body, &format!("raise-{round}"));
        let act = match round % 3 {
            0 => "acknowledge",
            1 => "resolve",
            _ => "notes",
        };
        let path = format!("/alerts/{}/{act}", alert["id"].as_str().unwrap());
        insist(server, &path, &json!({ "by": "Anna", "note": "x" }), &format!("act-{round}"));
        round += 1;
        // A high rate for real alerts, but far below the maximum rate of the server.
        thread::sleep(Duration::from_millis(20));
    }
}

fn serve(data: &Path, address: SocketAddr) -> Process {
    let flags = ["--data", data.to_str().unwrap(), "--generator-interval", "off"];
    ProcessBuilder::new(env!("CARGO_BIN_EXE_northgate"), &flags).serve_at(address)
}

#[test]
fn reference_clients_show_every_event_once_across_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let address = free_address();
    let mut server = serve(&data, address);
    let client = Client::new(address);
    let body = json!({ "message": "before all", "location": "North Gate" });
    let before = insist(client, "/alerts", &body, "before");
    let base = format!("http://{address}/");
    let mut clients = [
        ReferenceClient::node(folder.path(), &base),
        ReferenceClient::python(folder.path(), &base),
    ];
    for client in &mut clients {
        eventually(|| {
            let ended = client.child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}; Node.js before 20 needs ws, see tests/run.sh");
            client.events().0 == 1
        });
    }
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = stop.clone();
    let worker = thread::spawn(move || work(client, &stopping));
    for ending in ["KILL", "TERM", "KILL"] {
        let seen = clients.each_ref().map(|client| client.events().1.len());
        for (client, seen) in clients.iter().zip(seen) {
            eventually_within(CAUGHT_UP, || client.events().1.len() > seen + 5);
        }
        server.signal(ending);
        server.output();
        server = serve(&data, address);
    }
    stop.store(true, Ordering::Relaxed);
    worker.join().unwrap();
    let state = server.get("/alerts?status=open,acknowledged&limit=1000").json();
    let alerts = state["alerts"].as_array().unwrap();
    let expected = sorted(alerts.iter().map(|a| json!([a["id"], a["revision"]])).collect());
    let head = offset(state["position"].as_str().unwrap());
    let all: Vec<_> = (offset(before["position"].as_str().unwrap()) + 1..=head).collect();
    for client in &clients {
        eventually_within(CAUGHT_UP, || client.events().1.len() >= all.len());
        assert_eq!(
            client.events(),
            (1, all.clone()),
            "every event exactly once, and the state loaded only at start"
        );
        assert_eq!(client.board(), expected);
    }
    drop(server);
}
