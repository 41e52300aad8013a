//! The effect of each signal, and of several stop signals in a row.

use crate::{ALERT, northgate, quiet};
use northgate_testkit::{Process, RawSocket, eventually};
use serde_json::json;
use std::process::Command;
use std::time::{Duration, Instant};

fn with_delay(delay: &str) -> Process {
    northgate(&["--generator-interval", "off", "--drain-delay", delay]).serve()
}

/// Sends a signal and waits until the server has logged it. Without the wait, the kernel could
/// merge two signals of the same kind into one.
fn send_and_see(program: &mut Process, signal: &str, logged: &str) {
    program.signal(signal);
    eventually(|| program.has_logged(logged));
}

/// Opens a socket that never reads, and raises more alerts than the kernel buffers for it.
fn stuffed(program: &Process) -> RawSocket {
    let socket = program.raw_socket();
    let body = json!({"message": "x".repeat(4_000), "location": "North Gate"}).to_string();
    for _ in 0..1_000 {
        assert_eq!(program.post("/alerts", &body).status, 200);
    }
    socket
}

#[test]
fn a_hangup_is_ignored_and_logged() {
    let mut program = quiet().serve();
    send_and_see(&mut program, "HUP", "SIGHUP");
    assert_eq!(program.post("/alerts", ALERT).status, 200);
    program.stop().assert_code(0);
}

#[test]
fn signals_for_other_programs_do_not_end_the_server() {
    let mut program = quiet().serve();
    for signal in ["USR1", "USR2", "ALRM", "VTALRM", "PROF", "IO"] {
        send_and_see(&mut program, signal, &format!("SIG{signal}"));
    }
    assert_eq!(program.post("/alerts", ALERT).status, 200);
    program.signal("QUIT");
    let ended = program.output().assert_code(0);
    assert!(ended.has_logged("SIGQUIT"), "{ended:?}");
}

#[test]
fn a_second_signal_ends_the_drain_delay() {
    let mut program = with_delay("1h");
    send_and_see(&mut program, "TERM", "stopping asked_by");
    eventually(|| program.get("/health/ready").status == 503);
    program.signal("INT");
    program.output().assert_code(0);
}

#[test]
fn a_second_signal_during_the_drain_ends_the_streams_immediately() {
    let mut program = with_delay("0s");
    let _stuffed = stuffed(&program);
    send_and_see(&mut program, "TERM", "stopping asked_by");
    program.signal("TERM");
    let ended = program.output().assert_code(0);
    assert!(!ended.has_logged("connections did not end in time"), "{ended:?}");
}

#[test]
fn a_third_signal_ends_the_process_even_if_a_socket_never_reads() {
    let mut program = with_delay("1h");
    let _stuffed = stuffed(&program);
    send_and_see(&mut program, "TERM", "stopping asked_by");
    send_and_see(&mut program, "TERM", "second stop signal");
    program.signal("TERM");
    let ended = program.output().assert_code(0);
    assert!(ended.has_logged("third stop signal"), "{ended:?}");
    assert!(!ended.has_logged("stopped"), "{ended:?}");
}

/// The main thread is blocked, because the database is a named pipe without a writer.
#[cfg(target_os = "linux")]
#[test]
fn a_blocked_main_thread_does_not_delay_the_exit_beyond_its_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("northgate.db");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let program = northgate(&["--data", folder.path().to_str().unwrap(), "--port", "0"]).start();
    let threads = format!("/proc/{}/task", program.pid());
    let name = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("comm"));
    let listens = || {
        let mut threads = std::fs::read_dir(&threads).unwrap().filter_map(Result::ok);
        threads.any(|thread| name(thread).is_ok_and(|name| name.trim() == "signals"))
    };
    eventually(listens);
    let asked = Instant::now();
    program.signal("TERM");
    let ended = program.output().assert_code(0);
    assert!(asked.elapsed() > Duration::from_secs(7), "the main thread was blocked: {ended:?}");
    assert!(ended.has_logged("the shutdown took too long"), "{ended:?}");
}
