//! Log lines: a stalled reader blocks nothing, and a client cannot flood the log.

use crate::{ALERT, northgate, quiet};
use northgate_testkit::{Client, ProcessBuilder, eventually, free_address};
use std::io::{Read, Write};
use std::net::TcpListener;

/// Sends a request that no parser accepts, and waits for the answer.
fn malformed(server: Client) {
    let mut stream = server.connect();
    stream.write_all(b"X\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 400 "), "{}", String::from_utf8_lossy(&answer));
}

fn at_level(level: &str) -> ProcessBuilder {
    northgate(&["--generator-interval", "off", "--log-level", level])
}

#[test]
fn a_stalled_reader_of_standard_error_blocks_no_request_and_no_exit() {
    for level in ["info", "debug"] {
        let program = at_level(level).stalled_stderr().serve();
        for _ in 0..2_000 {
            malformed(*program);
        }
        assert_eq!(program.post("/alerts", ALERT).status, 200);
        assert_eq!(program.get("/health/live").status, 200);
        program.signal("TERM");
        program.output().assert_code(0);
    }
}

#[test]
fn a_stalled_reader_of_standard_output_blocks_no_start_and_no_exit() {
    let program = quiet().stalled_stdout().serve_at(free_address());
    assert_eq!(program.post("/alerts", ALERT).status, 200);
    program.stop().assert_code(0);
}

#[test]
fn a_failed_start_exits_even_if_nobody_reads_its_reason() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    northgate(&["--port", &port]).stalled_stderr().run().assert_code(1);
}

#[test]
fn malformed_requests_are_logged_at_level_debug_only() {
    for level in ["error", "warn", "info"] {
        let program = at_level(level).serve();
        malformed(*program);
        let ended = program.stop().assert_code(0);
        assert!(!ended.has_logged("the head of a request was refused"), "{level}: {ended:?}");
    }
}

#[test]
fn repeated_lines_are_summarized_even_if_no_other_line_follows() {
    let mut program = at_level("debug").serve();
    for _ in 0..50 {
        malformed(*program);
    }
    let summary = "repeated 42 more times in 10 s";
    eventually(|| program.has_logged(summary));
    let ended = program.stop();
    assert_eq!(
        ended.count_logged("the head of a request was refused"),
        8 + 1,
        "eight lines, and the summary: {ended:?}"
    );
}

#[test]
fn repeated_lines_are_summarized_at_exit() {
    let program = at_level("debug").serve();
    for _ in 0..50 {
        malformed(*program);
    }
    let ended = program.stop();
    assert!(ended.has_logged("repeated 42 more times"), "{ended:?}");
}
