//! The binary as its users meet it: arguments and settings, exit codes, signals, and what it
//! writes where.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "all of this is test code, and the process is seen from outside, in real time"
)]

mod logging;
mod signals;

use northgate_testkit::{Client, HttpResponse, Process, ProcessBuilder, eventually};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpListener;

fn northgate(flags: &[&str]) -> ProcessBuilder {
    ProcessBuilder::new(env!("CARGO_BIN_EXE_northgate"), flags)
}

/// A server that raises no alerts by itself.
fn quiet() -> ProcessBuilder {
    northgate(&["--generator-interval", "off"])
}

/// Starts `setup`, which is wrong: it ends with code 2 and one line that holds each of `named`.
fn assert_refused(setup: ProcessBuilder, named: &[&str]) {
    let ended = setup.run();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(ended.stdout, [""; 0], "{ended:?}");
    assert_eq!(ended.stderr.len(), 1, "{ended:?}");
    for name in named {
        assert!(ended.stderr[0].contains(name), "{name} is not in {ended:?}");
    }
}

// What it says at start.

#[test]
fn the_first_line_of_standard_output_is_the_address_where_it_answers() {
    let program = quiet().serve();
    assert!(program.address().ip().is_loopback());
    assert_ne!(program.address().port(), 0);
    let answer = program.get("/");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!({"message": "Welcome to my WebSocket Application"}));
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
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

// Wrong settings.

#[test]
fn a_wrong_flag_ends_with_code_2_and_one_line_that_names_it() {
    for (flags, named) in [
        (["--prot", "1"].as_slice(), "--prot"),
        (&["--port", "x"], "--port"),
        (&["--port", "65536"], "--port"),
        (&["--port"], "--port"),
        (&["--port", "1", "--port", "2"], "--port"),
        (&["--host", "example.com"], "--host"),
        (&["--workers", "0"], "--workers"),
        (&["--workers", "513"], "--workers"),
        (&["--max-connections", "0"], "--max-connections"),
        (&["--max-connections-per-address", "-1"], "--max-connections-per-address"),
        (&["--request-timeout", "999ms"], "--request-timeout"),
        (&["--chat-rate", "0"], "--chat-rate"),
        (&["--chat-burst", "1.5"], "--chat-burst"),
        (&["--public-host", "a b"], "--public-host"),
        (&["--generator-interval", "10"], "--generator-interval"),
        (&["--memory-events", "1.5"], "--memory-events"),
        (&["--memory-alerts", "0"], "--memory-alerts"),
        (&["--memory-messages", "many\n\nlines"], "--memory-messages"),
        (&["--memory-keys", "-1"], "--memory-keys"),
        (&["--log-level", "loud"], "--log-level"),
        (&["surplus"], "surplus"),
    ] {
        assert_refused(northgate(flags), &[named]);
    }
}

#[test]
fn a_wrong_variable_ends_with_code_2_and_one_line_that_names_it() {
    for (name, value) in [
        ("NORTHGATE__SERVER__HOST", "example.com"),
        ("NORTHGATE__SERVER__PORT", "65536"),
        ("NORTHGATE__SERVER__PORT", ""),
        ("NORTHGATE__SERVER__PORT", "true"),
        ("NORTHGATE__SERVER__WORKERS", "0"),
        ("NORTHGATE__SERVER__MAX_CONNECTIONS", "many"),
        ("NORTHGATE__SERVER__MAX_CONNECTIONS_PER_ADDRESS", "0"),
        ("NORTHGATE__SERVER__REQUEST_TIMEOUT", "0s"),
        ("NORTHGATE__CHAT__RATE", "4294967296"),
        ("NORTHGATE__CHAT__BURST", "0"),
        ("NORTHGATE__SERVER__PUBLIC_HOST", "a b"),
        ("NORTHGATE__GENERATOR__INTERVAL", "soon"),
        ("NORTHGATE__MEMORY__EVENTS", "1.5"),
        ("NORTHGATE__CORS__METHODS", "G T"),
        ("NORTHGATE__CORS__HEADERS", "a b"),
        ("NORTHGATE__CORS__CREDENTIALS", "maybe"),
        ("NORTHGATE__LOG__LEVEL", "loud\nand clear"),
        ("CORS_METHODS_ALLOWED", "G T"),
        ("CORS_HEADERS_ALLOWED", "a b"),
        // No settings at all.
        ("NORTHGATE__SERVER__PROT", "1"),
        ("NORTHGATE__SERVR__PORT", "1"),
        ("NORTHGATE__PORT", "1"),
        ("NORTHGATE__SERVER", "1"),
        ("NORTHGATE__SERVER__PORT__X", "1"),
    ] {
        assert_refused(quiet().variable(name, value), &[name]);
        let in_file = quiet().file(".env", &format!("{name}='{value}'\n"));
        assert_refused(in_file, &[name, ".env"]);
    }
}

#[test]
fn a_wrong_line_in_northgate_toml_is_named_and_ends_with_code_2() {
    for (text, named) in [
        ("[server]\nport = 'x'", "server.port"),
        ("[server]\nport = 1.5", "server.port"),
        ("[server]\nmax_connections = 0", "server.max_connections"),
        ("[server]\nrequest_timeout = 10", "server.request_timeout"),
        ("[chat]\nrate = 1.5", "chat.rate"),
        ("[chat]\nburst = -1", "chat.burst"),
        ("[server]\npublic_host = ['a b']", "server.public_host"),
        ("[generator]\ninterval = 10", "generator.interval"),
        ("[memory]\nevents = 0", "memory.events"),
        ("[cors]\ncredentials = 'maybe'", "cors.credentials"),
        ("[log]\nlevel = 'loud'", "log.level"),
        ("[server]\nprot = 1", "prot"),
        ("[servr]\nport = 1", "servr"),
        ("server = 1", "server"),
        ("[server]\nport", "line 2"),
        ("[server", "line 1"),
    ] {
        assert_refused(quiet().file("northgate.toml", text), &["northgate.toml", named]);
    }
}

#[test]
fn a_malformed_dot_env_ends_with_code_2_and_one_line_that_names_the_place() {
    for (text, named) in [
        ("CORS_ORIGINS_ALLOWED='https://a.test", "line 1: CORS_ORIGINS_ALLOWED"),
        ("# lists\nCORS_METHODS_ALLOWED=it's\n", "line 2: CORS_METHODS_ALLOWED"),
        ("A=1\nnothing\n", "line 2"),
    ] {
        assert_refused(quiet().file(".env", text), &[".env", named]);
    }
}

// Where settings come from.

/// How many chat messages the memory store of `program` holds, seen from outside.
fn capacity(program: &Process) -> u64 {
    for n in 0..6 {
        let body = json!({"sender": "Operator 1", "message": format!("message {n}")});
        assert_eq!(program.post("/message/", body.to_string()).status, 200);
    }
    program.get("/message/").json()["count"].as_u64().unwrap()
}

#[test]
fn flags_override_the_environment_then_dot_env_then_northgate_toml() {
    const NAME: &str = "NORTHGATE__MEMORY__MESSAGES";
    let toml = |setup: ProcessBuilder| setup.file("northgate.toml", "[memory]\nmessages = 1\n");
    let dot_env =
        |setup: ProcessBuilder| toml(setup).file(".env", "NORTHGATE__MEMORY__MESSAGES=2\n");
    let environment = |setup: ProcessBuilder| dot_env(setup).variable(NAME, "3");
    assert_eq!(capacity(&quiet().serve()), 6);
    assert_eq!(capacity(&toml(quiet()).serve()), 1);
    assert_eq!(capacity(&dot_env(quiet()).serve()), 2);
    assert_eq!(capacity(&environment(quiet()).serve()), 3);
    assert_eq!(capacity(&environment(northgate(&["--memory-messages", "4"])).serve()), 4);
}

#[test]
fn a_flag_wins_over_a_port_in_the_file_that_is_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let text = format!("[server]\nport = {port}\n[generator]\ninterval = \"off\"\n");
    let from_file = northgate(&[]).file("northgate.toml", &text).run();
    assert_eq!(from_file.code, Some(1), "{from_file:?}");
    let with_flag = northgate(&[]).file("northgate.toml", &text).serve();
    assert_eq!(with_flag.get("/").status, 200);
}

/// Alerts in the history that nobody posted.
fn generated(server: Client) -> usize {
    let history = server.get("/alerts/history").json();
    let by_generator = |alert: &&serde_json::Value| alert["source"] == "generator";
    history["alerts"].as_array().unwrap().iter().filter(by_generator).count()
}

#[test]
fn the_generator_raises_alerts_at_the_interval_that_is_set() {
    let by_default = northgate(&[]).serve();
    eventually(|| generated(*by_default) == 1);

    let often = northgate(&[]).variable("NORTHGATE__GENERATOR__INTERVAL", "20ms").serve();
    eventually(|| generated(*often) == 10);

    let never = northgate(&[]).file(".env", "NORTHGATE__GENERATOR__INTERVAL=off\n").serve();
    assert_eq!(never.post("/alerts", ALERT).status, 200);
    assert_eq!(generated(*never), 0);
}

const ALERT: &str = r#"{"message":"Intruder detected","location":"North Gate"}"#;

// The names that the Python service read.

/// Asks as a page of `https://board.test` does before it posts with a header of its own.
fn preflight(program: &Process, method: &str, header: &str) -> HttpResponse {
    let headers = format!(
        "Origin: https://board.test\r\nAccess-Control-Request-Method: {method}\r\n\
         Access-Control-Request-Headers: {header}\r\n"
    );
    program.request("OPTIONS", "/alerts", &headers, b"")
}

#[test]
fn legacy_cors_names_are_read_from_dot_env_and_from_the_environment() {
    let environment = quiet()
        .variable("CORS_ORIGINS_ALLOWED", "https://other.test, https://board.test")
        .variable("CORS_METHODS_ALLOWED", "GET, POST")
        .variable("CORS_HEADERS_ALLOWED", "X-Board, Content-Type")
        .variable("CORS_CREDENTIAL", "True");
    assert_cors_is_set(&environment.serve());
    let dot_env = "CORS_ORIGINS_ALLOWED=https://other.test,https://board.test\n\
                   CORS_METHODS_ALLOWED=\"GET, POST\"\n\
                   CORS_HEADERS_ALLOWED=X-Board,Content-Type\n\
                   CORS_CREDENTIAL=True\n";
    assert_cors_is_set(&quiet().file(".env", dot_env).serve());
}

fn assert_cors_is_set(program: &Process) {
    let allowed = preflight(program, "POST", "X-Board");
    assert_eq!(allowed.status, 200);
    let header = |name| allowed.header(name);
    assert_eq!(header("access-control-allow-origin"), Some("https://board.test"));
    assert_eq!(header("access-control-allow-credentials"), Some("true"));
    assert_eq!(words(header("access-control-allow-methods")), ["get", "post"]);
    assert_eq!(words(header("access-control-allow-headers")), ["content-type", "x-board"]);

    let other_method = preflight(program, "DELETE", "X-Board");
    assert!(!words(other_method.header("access-control-allow-methods")).contains(&"delete".into()));
    let other_header = preflight(program, "POST", "X-Other");
    assert!(
        !words(other_header.header("access-control-allow-headers")).contains(&"x-other".into())
    );
}

/// What stands between commas, in an order of its own.
fn words(list: Option<&str>) -> Vec<String> {
    let words = list.unwrap_or_default().split(',').map(|word| word.trim().to_ascii_lowercase());
    let mut words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.sort();
    words
}

#[test]
fn a_wrong_legacy_credential_is_refused() {
    const NAME: &str = "CORS_CREDENTIAL";
    assert_refused(quiet().variable(NAME, "maybe"), &[NAME, "true or false"]);
    assert_refused(quiet().file(".env", "CORS_CREDENTIAL=maybe\n"), &[NAME, ".env"]);
    let off =
        quiet().variable("CORS_ORIGINS_ALLOWED", "https://board.test").variable(NAME, "false");
    let answer = preflight(&off.serve(), "POST", "X-Board");
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://board.test"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[test]
fn without_legacy_cors_names_foreign_pages_get_no_leave() {
    let answer = preflight(&quiet().serve(), "POST", "X-Board");
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[test]
fn the_environment_wins_over_dot_env_for_legacy_names_as_well() {
    let with = |here: &str, in_file: &str| {
        let text = format!("CORS_ORIGINS_ALLOWED={in_file}\nCORS_CREDENTIAL=true\n");
        quiet().variable("CORS_ORIGINS_ALLOWED", here).file(".env", &text).serve()
    };
    let allowed = preflight(&with("https://board.test", "https://other.test"), "POST", "X-Board");
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://board.test"));
    assert_eq!(allowed.header("access-control-allow-credentials"), Some("true"));
    let refused = preflight(&with("https://other.test", "https://board.test"), "POST", "X-Board");
    assert_eq!(refused.header("access-control-allow-origin"), None);
}

// What it writes.

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
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, [format!("http://{address}")]);
    assert!(!ended.stderr.is_empty());
    for line in &ended.stderr {
        assert!(is_log_line(line), "{line:?}");
        assert!(!line.contains(SECRET), "{line:?}");
    }
}

#[test]
fn it_serves_and_stops_as_ever_when_nobody_takes_its_log_lines() {
    let program = quiet().closed_stderr().serve();
    assert_eq!(program.post("/alerts", ALERT).status, 200);
    let ended = program.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// The warnings of a server that is started from a shell after `before`.
fn warnings(before: &str, flags: &[&str]) -> Vec<String> {
    let flags = [&["--generator-interval", "off"], flags].concat();
    let ended = northgate(&flags).after(before).serve().stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
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
fn a_limit_on_open_files_that_allows_no_work_is_refused() {
    let ended = quiet().after("ulimit -n 63").run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let said = ended.stderr.last().unwrap();
    assert!(said.contains("the limit on open files is 63"), "{said}");
}

#[test]
fn connections_that_wait_for_nothing_make_room_for_others() {
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
fn the_limit_on_open_files_is_raised_to_what_it_may_be() {
    let hard = "ulimit -Sn 300 && ulimit -Hn 1000";
    assert_eq!(warnings(hard, &["--max-connections", "744"]), [""; 0]);
    assert_eq!(warnings(hard, &["--max-connections", "745"]).len(), 1);
}

// How it ends.

#[test]
fn each_of_both_signals_ends_it_with_code_0() {
    for signal in ["TERM", "INT"] {
        let program = quiet().serve();
        program.signal(signal);
        let ended = program.output();
        assert_eq!(ended.code, Some(0), "{signal}: {ended:?}");
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
        let ended = program.output();
        assert_eq!(ended.code, Some(0), "{signal}: {ended:?}");
    }
}

#[test]
fn a_socket_that_never_reads_holds_neither_the_exit_nor_the_others() {
    const ALERTS: usize = 1_000;
    let program = quiet().serve();
    let mut stuffed = program.raw_socket();
    let mut healthy = program.socket();
    // More than the kernel takes for one socket on both sides, and less than the server holds.
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
    let ended = program.output();
    assert_eq!(ended.code, Some(0), "{ended:?}");

    let mut taken = 0;
    while let Ok(Some((first, payload))) = stuffed.try_read_frame() {
        // A heartbeat may come at any time.
        assert!(matches!(first, 0x81 | 0x89), "{payload:?} after {taken} alerts");
        taken += 1;
    }
    assert!(taken < ALERTS, "the socket took everything, so it was not stuffed");
}
