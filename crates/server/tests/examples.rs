//! Tests of the examples: each runs as a server process, with the command line of the binary.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "all of this is test code")]

use northgate_testkit::{Process, ProcessBuilder, eventually};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// Returns the program of an example. Cargo builds the examples when it runs all tests of the
/// package, but not for `--test examples`.
fn example(name: &str) -> ProcessBuilder {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(program.exists(), "{} is not built: cargo build --examples", program.display());
    ProcessBuilder::new(program.to_str().unwrap(), &["--generator-interval", "off"])
}

/// Raises an alert, and checks that a WebSocket receives it.
fn assert_alerts_are_sent(server: &Process) {
    let mut socket = server.socket();
    let raised = server.raise("Intruder detected");
    assert_eq!(socket.next_json(), raised);
}

#[test]
fn a_server_with_a_custom_store_appends_unless_the_store_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let switch = folder.path().join("read-only");
    let server = example("own_store").variable("READ_ONLY_FILE", switch.to_str().unwrap()).serve();
    assert_alerts_are_sent(&server);

    std::fs::write(&switch, "").unwrap();
    let alert = json!({ "message": "fire", "location": "Hall" }).to_string();
    server.post("/alerts", &alert).problem(503);
    server.get("/health/ready").problem(503);
    assert_eq!(server.get("/alerts").json()["count"], 1);

    std::fs::remove_file(&switch).unwrap();
    assert_alerts_are_sent(&server);
    server.stop().assert_code(0);
}

#[test]
fn a_store_that_cannot_open_ends_the_program_with_code_1_and_its_reason() {
    let ended = example("own_store").run().assert_code(1);
    assert!(ended.stderr.last().unwrap().contains("READ_ONLY_FILE is not set"), "{ended:?}");
}

#[test]
fn a_custom_route_raises_alerts_and_a_background_component_counts_them() {
    let server = example("own_route").serve();
    assert_alerts_are_sent(&server);
    let mut socket = server.socket();
    assert_eq!(server.post("/doors/Main%20Gate/ring", "").body, b"Somebody will come.\n");
    assert_eq!(socket.next_json()["location"], "Main Gate");
    let blank = server.post("/doors/%20/ring", "").problem(400);
    assert_eq!(blank["type"], "urn:northgate:problem:http");
    eventually(|| server.get("/doors/count").json() == 2);
    server.get("/doors").problem(404);
    server.stop().assert_code(0);
}

#[test]
fn a_server_with_its_own_transport_streams_events_as_lines() {
    let server = example("own_transport").serve();
    let mut lines = BufReader::new(TcpStream::connect(server.address()).unwrap());
    let request = format!("GET /lines HTTP/1.0\r\nHost: {}\r\n\r\n", server.address());
    lines.get_mut().write_all(request.as_bytes()).unwrap();
    let mut head = lines.by_ref().lines().map(Result::unwrap);
    assert!(head.next().unwrap().ends_with("200 OK"));
    assert!(head.any(|line| line.is_empty()), "the head ends");

    let first = server.raise("Intruder detected");
    let second = server.raise("Window open");
    let mut events =
        lines.by_ref().lines().map(|line| serde_json::from_str::<Value>(&line.unwrap()));
    assert_eq!(events.next().unwrap().unwrap(), first);
    assert_eq!(events.next().unwrap().unwrap(), second);
    server.stop().assert_code(0);
    assert!(events.next().is_none(), "the stream ends with the server");
}
