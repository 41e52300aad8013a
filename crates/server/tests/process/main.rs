//! Tests of the binary as a process: arguments and settings, exit codes, signals, and output.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "all of this is test code, and the process is seen from outside, in real time"
)]

mod logging;
mod settings;
mod signals;

use northgate_testkit::ProcessBuilder;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpListener;

fn northgate(flags: &[&str]) -> ProcessBuilder {
    ProcessBuilder::new(env!("CARGO_BIN_EXE_northgate"), flags)
}

/// A server without a generator.
fn quiet() -> ProcessBuilder {
    northgate(&["--generator-interval", "off"])
}

const ALERT: &str = r#"{"message":"Intruder detected","location":"North Gate"}"#;

// Output at start.

#[test]
fn the_first_line_of_standard_output_is_the_address_of_the_server() {
    let program = quiet().serve();
    assert!(program.address().ip().is_loopback());
    assert_ne!(program.address().port(), 0);
    let answer = program.get("/");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!({"message": "Welcome to my WebSocket Application"}));
    program.stop().assert_code(0);
}

#[test]
fn help_and_version_go_to_standard_output_and_end_with_code_0() {
    let help = northgate(&["--help"]).run();
    assert_eq!((help.code, help.stderr.len()), (Some(0), 0), "{help:?}");
    for flag in ["--host", "--port", "--workers", "--public-host", "--generator-interval"] {
        assert!(help.stdout.iter().any(|line| line.contains(flag)), "{flag} is not in {help:?}");
    }
    let version = northgate(&["--version"]).run();
    assert_eq!((version.code, version.stderr.len()), (Some(0), 0), "{version:?}");
    assert_eq!(version.stdout, [format!("northgate {}", env!("CARGO_PKG_VERSION"))]);
}

#[test]
fn a_port_in_use_ends_with_code_1_and_one_line_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = northgate(&["--port", &port, "--log-level", "error"]).run();
    assert_eq!((ended.code, ended.stdout.len()), (Some(1), 0), "{ended:?}");
    assert_eq!(ended.stderr.len(), 1, "{ended:?}");
    for part in [address.as_str(), "the port is in use", "--port"] {
        assert!(ended.stderr[0].contains(part), "{part} is not in {ended:?}");
    }
}

// Log lines and limits.

/// Whether `line` begins with a time and a level.
fn is_log_line(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let time = words.next().is_some_and(|time| time.len() == 27 && time.ends_with('Z'));
    time && words.next().is_some_and(|level| ["ERROR", "WARN", "INFO", "DEBUG"].contains(&level))
}

#[test]
fn standard_output_has_only_the_address_and_no_log_line_has_a_body() {
    const SECRET: &str = "swordfish";
    let program = northgate(&["--generator-interval", "off", "--log-level", "debug"]).serve();
    let mut socket = program.socket();

    let alert = json!({"message": SECRET, "location": SECRET}).to_string();
    let chat = json!({"sender": SECRET, "message": SECRET}).to_string();
    assert_eq!(program.post("/alerts", &alert).status, 200);
    assert_eq!(socket.next_json()["message"], SECRET);
    assert_eq!(program.post("/message/", &chat).status, 200);
    assert_eq!(socket.next_json()["message"], SECRET);
    socket.send(&chat);
    assert_eq!(socket.next_json()["message"], SECRET);
    socket.send(SECRET);
    assert_eq!(socket.next_json()["type"], "error");
    assert_eq!(program.post("/alerts", SECRET).status, 400);
    let invalid = json!({"message": [SECRET], SECRET: SECRET}).to_string();
    assert_eq!(program.post("/alerts", &invalid).status, 422);
    assert_eq!(program.request("PUT", "/alerts", "", SECRET).status, 405);
    assert_eq!(program.post("/nowhere", SECRET).status, 404);

    let address = program.address();
    let ended = program.stop().assert_code(0);
    assert_eq!(ended.stdout, [format!("http://{address}")]);
    assert!(!ended.stderr.is_empty());
    for line in &ended.stderr {
        assert!(is_log_line(line), "{line:?}");
        assert!(!line.contains(SECRET), "{line:?}");
    }
}

#[test]
fn a_server_with_closed_standard_error_serves_and_stops() {
    let program = quiet().closed_stderr().serve();
    assert_eq!(program.post("/alerts", ALERT).status, 200);
    program.stop().assert_code(0);
}

/// Returns the warnings of a server that a shell starts after the command `before`.
fn warnings(before: &str, flags: &[&str]) -> Vec<String> {
    let flags = [&["--generator-interval", "off"], flags].concat();
    let ended = northgate(&flags).after(before).serve().stop().assert_code(0);
    ended.stderr.into_iter().filter(|line| line.contains(" WARN ")).collect()
}

#[test]
fn too_low_a_limit_on_open_files_is_reported_with_advice() {
    let warnings = warnings("ulimit -n 512", &[]);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(is_log_line(&warnings[0]), "{warnings:?}");
    for part in ["limit=512", "wanted=15000", "most=256", "--max-connections", "ulimit -n"] {
        assert!(warnings[0].contains(part), "{part} is not in {warnings:?}");
    }
}

#[test]
fn a_limit_on_open_files_below_the_minimum_is_refused() {
    let ended = quiet().after("ulimit -n 63").run().assert_code(1);
    let said = ended.stderr.last().unwrap();
    assert!(said.contains("the limit on open files is 63"), "{said}");
}

#[test]
fn idle_connections_are_closed_to_accept_new_ones() {
    let program = quiet().after("ulimit -n 200").serve();
    let mut idle = Vec::new();
    for _ in 0..400 {
        let mut connection = program.connect();
        let request = format!("GET /health/live HTTP/1.1\r\nHost: {}\r\n\r\n", program.address());
        connection.write_all(request.as_bytes()).unwrap();
        connection.read_exact(&mut [0]).unwrap();
        idle.push(connection);
    }
    for _ in 0..20 {
        assert_eq!(program.post("/alerts", ALERT).status, 200);
    }
}

#[test]
fn the_limit_on_open_files_is_raised_to_its_maximum() {
    let hard = "ulimit -Sn 300 && ulimit -Hn 1000";
    assert_eq!(warnings(hard, &["--max-connections", "744"]), [""; 0]);
    assert_eq!(warnings(hard, &["--max-connections", "745"]).len(), 1);
}

// The end of the process.

#[test]
fn sigterm_and_sigint_end_the_process_with_code_0() {
    for signal in ["TERM", "INT"] {
        let program = quiet().serve();
        program.signal(signal);
        program.output().assert_code(0);
    }
}

#[test]
fn a_signal_closes_every_socket_with_1001_after_its_last_event() {
    for signal in ["TERM", "INT"] {
        let program = quiet().serve();
        let mut sockets = [program.raw_socket(), program.raw_socket()];
        assert_eq!(program.post("/alerts", ALERT).status, 200);
        program.signal(signal);
        for socket in &mut sockets {
            assert_eq!(socket.next_json()["message"], "Intruder detected");
            socket.assert_closed_with(1001);
        }
        program.output().assert_code(0);
    }
}

#[test]
fn a_socket_that_never_reads_delays_neither_the_exit_nor_other_sockets() {
    const ALERTS: usize = 1_000;
    let program = quiet().serve();
    let mut stuffed = program.raw_socket();
    let mut healthy = program.socket();
    // All alerts together are more than the kernel buffers for one socket on both sides, and fewer
    // than the server retains.
    let body = json!({"message": "x".repeat(4_000), "location": "North Gate"}).to_string();
    let reader = std::thread::spawn(move || {
        for n in 0..ALERTS {
            assert_eq!(healthy.next_json()["type"], "alert", "{n}");
        }
        healthy.read_to_close()
    });
    for _ in 0..ALERTS {
        assert_eq!(program.post("/alerts", &body).status, 200);
    }
    program.signal("TERM");
    let (texts, close) = reader.join().unwrap();
    assert_eq!((texts, close.unwrap().code.into()), (vec![], 1001_u16));
    program.output().assert_code(0);

    let mut taken = 0;
    while let Ok(Some((first, payload))) = stuffed.try_read_frame() {
        // A heartbeat may come at any time.
        assert!(matches!(first, 0x81 | 0x89), "{payload:?} after {taken} alerts");
        taken += 1;
    }
    assert!(taken < ALERTS, "the socket received all alerts, so its buffers were not full");
}
