//! Idempotency keys: a request sent twice with one key is executed once, in both stores.

use northgate_testkit::{HttpResponse, JSON, TestServer};
use serde_json::{Value, json};
use std::thread;

const ROUTES: [(&str, &str, &str); 2] = [
    ("/alerts", r#"{"message":"fire","location":"North Gate"}"#, "alerts"),
    ("/message/", r#"{"sender":"Operator 1","message":"fire"}"#, "chatMessages"),
];

fn post(server: &TestServer, path: &str, key: &str, body: &str) -> HttpResponse {
    server.request("POST", path, &format!("{JSON}Idempotency-Key: {key}\r\n"), body)
}

fn count(server: &TestServer, path: &str) -> Value {
    server.get(path).json()["count"].clone()
}

#[test]
fn a_repeated_request_gets_the_first_answer_and_has_no_effect() {
    let server = TestServer::start();
    let mut socket = server.socket();
    for (path, body, member) in ROUTES {
        let first = post(&server, path, "k1", body);
        assert_eq!((first.status, first.header("idempotent-replayed")), (200, None));
        // Different bytes with the same meaning, sent to the other spelling of the path.
        let spaced = body.replace(',', " ,\n ").replace("fire", " fire ");
        let other_spelling = match path {
            "/alerts" => "/alerts/",
            _ => "/message",
        };
        let again = post(&server, other_spelling, "k1", &spaced);
        assert_eq!(again.status, 200, "{again:?}");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.body, first.body, "the replayed body has the same bytes");
        assert_eq!(server.get(path).json()[member], json!([first.json()]));
        assert_eq!(socket.next_json(), first.json());
    }
    let last = server.raise("after all");
    assert_eq!(socket.next_json(), last, "no event was sent twice");
}

#[test]
fn a_key_reused_for_another_request_is_422_and_nothing_is_stored() {
    let server = TestServer::start();
    for (path, body, _) in ROUTES {
        assert_eq!(post(&server, path, "k1", body).status, 200);
        let reused = post(&server, path, "k1", &body.replace("fire", "flood")).problem(422);
        assert_eq!(reused["type"], "urn:northgate:problem:idempotency-key-reused");
        assert_eq!(count(&server, path), 1);
    }
}

#[test]
fn a_refused_request_does_not_use_up_its_key() {
    let server = TestServer::start();
    for (path, body, _) in ROUTES {
        post(&server, path, "k1", "{}").problem(422);
        post(&server, path, "k1", "{").problem(400);
        let sent = post(&server, path, "k1", body);
        assert_eq!((sent.status, sent.header("idempotent-replayed")), (200, None));
    }
}

#[test]
fn a_malformed_key_is_400_and_nothing_is_stored() {
    let server = TestServer::start();
    let long = "k".repeat(256);
    let (path, body, _) = ROUTES[0];
    for key in ["", "two words", "k\u{e9}y", &long, "a\r\nIdempotency-Key: b"] {
        let problem = post(&server, path, key, body).problem(400);
        assert_eq!(problem["type"], "urn:northgate:problem:idempotency-key", "{key:?}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with("The header Idempotency-Key must "), "{detail}");
    }
    assert_eq!(count(&server, path), 0);
    assert_eq!(post(&server, path, &"k".repeat(255), body).status, 200);
}

#[test]
fn concurrent_repeats_execute_once_and_all_get_the_same_answer() {
    let server = TestServer::start();
    let (path, body, _) = ROUTES[0];
    let answers: Vec<_> = thread::scope(|scope| {
        let sends = (0..32).map(|_| scope.spawn(|| post(&server, path, "same", body)));
        let sends: Vec<_> = sends.collect();
        sends.into_iter().map(|send| send.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert!(answers.iter().all(|answer| answer.body == answers[0].body), "{answers:?}");
    let first = answers.iter().filter(|a| a.header("idempotent-replayed").is_none()).count();
    assert_eq!((first, count(&server, path)), (1, json!(1)));
}

#[test]
fn a_key_is_remembered_across_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let start = || TestServer::on_disk(folder.path());
    let (path, body, _) = ROUTES[0];
    let server = start();
    let first = post(&server, path, "k1", body);
    server.stopped();

    let server = start();
    let again = post(&server, path, "k1", body);
    assert_eq!(again.header("idempotent-replayed"), Some("true"), "{again:?}");
    assert_eq!(again.body, first.body);
    post(&server, path, "k1", &body.replace("fire", "flood")).problem(422);
    assert_eq!(count(&server, path), 1);
}

#[test]
fn cors_exposes_the_replay_header_to_pages() {
    let server = TestServer::start();
    let (path, body, _) = ROUTES[0];
    let headers =
        "Content-Type: application/json\r\nIdempotency-Key: k\r\nOrigin: http://localhost:3000\r\n";
    server.request("POST", path, headers, body.as_bytes());
    let again = server.request("POST", path, headers, body.as_bytes());
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let exposed = again.header("access-control-expose-headers").unwrap();
    let mut exposed: Vec<_> = exposed.split(',').map(str::trim).collect();
    exposed.sort_unstable();
    assert_eq!(exposed, ["etag", "idempotent-replayed"]);
}
