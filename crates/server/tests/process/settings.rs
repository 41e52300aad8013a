//! Settings: errors name the invalid setting, and stronger sources override weaker ones.

use crate::{ALERT, northgate, quiet};
use northgate_testkit::{Client, HttpResponse, Process, ProcessBuilder, eventually};
use serde_json::json;
use std::net::TcpListener;

/// Starts `setup`, which has an invalid setting, and checks that it exits with code 2 and one line
/// that contains each of `named`.
fn assert_refused(setup: ProcessBuilder, named: &[&str]) {
    let ended = setup.run().assert_code(2);
    assert_eq!(ended.stdout, [""; 0], "{ended:?}");
    assert_eq!(ended.stderr.len(), 1, "{ended:?}");
    for name in named {
        assert!(ended.stderr[0].contains(name), "{name} is not in {ended:?}");
    }
}

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
        (&["--generator-scenario", "hectic"], "--generator-scenario"),
        (&["--generator-seed", "-1"], "--generator-seed"),
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
        ("NORTHGATE__GENERATOR__SCENARIO", "Busy"),
        ("NORTHGATE__GENERATOR__SEED", "one"),
        ("NORTHGATE__MEMORY__EVENTS", "1.5"),
        ("NORTHGATE__CORS__METHODS", "G T"),
        ("NORTHGATE__CORS__HEADERS", "a b"),
        ("NORTHGATE__CORS__CREDENTIALS", "maybe"),
        ("NORTHGATE__LOG__LEVEL", "loud\nand clear"),
        ("CORS_METHODS_ALLOWED", "G T"),
        ("CORS_HEADERS_ALLOWED", "a b"),
        // Unknown settings.
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
        ("[generator]\nscenario = 'x'", "generator.scenario"),
        ("[generator]\nseed = 1.5", "generator.seed"),
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
fn a_malformed_dot_env_ends_with_code_2_and_one_line_with_its_location() {
    for (text, named) in [
        ("CORS_ORIGINS_ALLOWED='https://a.test", "line 1: CORS_ORIGINS_ALLOWED"),
        ("# lists\nCORS_METHODS_ALLOWED=it's\n", "line 2: CORS_METHODS_ALLOWED"),
        ("A=1\nnothing\n", "line 2"),
    ] {
        assert_refused(quiet().file(".env", text), &[".env", named]);
    }
}

// Order of the sources.

/// Measures the capacity of the memory store for chat messages over HTTP.
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
fn a_port_flag_overrides_a_port_in_use_in_the_file() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let text = format!("[server]\nport = {port}\n[generator]\ninterval = \"off\"\n");
    northgate(&[]).file("northgate.toml", &text).run().assert_code(1);
    let with_flag = northgate(&[]).file("northgate.toml", &text).serve();
    assert_eq!(with_flag.get("/").status, 200);
}

/// Number of alerts in the history that the generator raised.
fn generated(server: Client) -> usize {
    let history = server.get("/alerts/history").json();
    let by_generator = |alert: &&serde_json::Value| alert["source"] == "generator";
    history["alerts"].as_array().unwrap().iter().filter(by_generator).count()
}

#[test]
fn the_generator_raises_alerts_at_the_configured_interval() {
    let by_default = northgate(&[]).serve();
    eventually(|| generated(*by_default) == 1);

    let often = northgate(&[]).variable("NORTHGATE__GENERATOR__INTERVAL", "20ms").serve();
    eventually(|| generated(*often) == 10);

    let never = northgate(&[]).file(".env", "NORTHGATE__GENERATOR__INTERVAL=off\n").serve();
    assert_eq!(never.post("/alerts", ALERT).status, 200);
    assert_eq!(generated(*never), 0);
}

#[test]
fn a_scenario_raises_the_same_alerts_from_every_kind_of_setting() {
    let messages = |server: Client| {
        let all = || server.get("/alerts?label.demo=busy&limit=1000").json()["alerts"].clone();
        eventually(|| all().as_array().unwrap().len() >= 12);
        let all = all();
        let first = all.as_array().unwrap().iter().take(12);
        first.map(|alert| alert["message"].clone()).collect::<Vec<_>>()
    };
    let toml = "[generator]\nscenario = 'busy'\nseed = 7\n";
    let file = northgate(&[]).file("northgate.toml", toml).serve();
    let by_file = messages(*file);
    let flags = northgate(&["--generator-scenario", "busy", "--generator-seed", "7"]).serve();
    assert_eq!(messages(*flags), by_file);
    let variable = northgate(&[]).variable("NORTHGATE__GENERATOR__SCENARIO", "busy").serve();
    assert_ne!(messages(*variable), by_file, "the default seed is 1");

    let off = northgate(&["--generator-interval", "off"]).file("northgate.toml", toml).serve();
    assert_eq!(off.post("/alerts", ALERT).status, 200);
    assert_eq!(off.get("/alerts").json()["count"], 1);
}

// The legacy names of the Python service.

/// Sends the preflight request of a page from `https://board.test` that uses this method and
/// header.
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

/// Returns the items of a comma-separated list, in lower case and sorted.
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
fn without_legacy_cors_names_foreign_pages_get_no_permission() {
    let answer = preflight(&quiet().serve(), "POST", "X-Board");
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[test]
fn the_environment_overrides_dot_env_for_legacy_names() {
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

#[test]
fn bounds_of_the_other_store_are_logged_as_ignored() {
    let without = "this setting has no effect without --data";
    let with = "this setting has no effect with --data";
    for (flags, is_logged) in [
        (["--retain-bytes", "1GiB"].as_slice(), [true, false]),
        (&["--memory-alerts", "5"], [false, false]),
        (&["--data", "data"], [false, false]),
        (&["--data", "data", "--retain-for", "1d"], [false, false]),
        (&["--data", "data", "--memory-keys", "5"], [false, true]),
    ] {
        let ended = northgate(flags).serve().stop().assert_code(0);
        let logged = [without, with].map(|text| ended.has_logged(text));
        assert_eq!(logged, is_logged, "{flags:?}: {ended:?}");
    }
}
