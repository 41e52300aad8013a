//! The same request sent twice under one key: it happens once, in either store.

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
fn the_same_request_again_gets_the_first_answer_and_nothing_happens() {
    let server = TestServer::start();
    let mut socket = server.socket();
    for (path, body, member) in ROUTES {
        let first = post(&server, path, "k1", body);
        assert_eq!((first.status, first.header("idempotent-replayed")), (200, None));
        // Other bytes that say the same, at the other spelling of the address.
        let spaced = body.replace(',', " ,\n ").replace("fire", " fire ");
        let other_spelling = match path {
            "/alerts" => "/alerts/",
            _ => "/message",
        };
        let again = post(&server, other_spelling, "k1", &spaced);
        assert_eq!(again.status, 200, "{again:?}");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.body, first.body, "byte for byte");
        assert_eq!(server.get(path).json()[member], json!([first.json()]));
        assert_eq!(socket.next_json(), first.json());
    }
    let last = server.raise("after all");
    assert_eq!(socket.next_json(), last, "nothing was sent twice");
}

#[test]
fn a_key_for_another_request_is_422_and_nothing_is_kept() {
    let server = TestServer::start();
    for (path, body, _) in ROUTES {
        assert_eq!(post(&server, path, "k1", body).status, 200);
        let reused = post(&server, path, "k1", &body.replace("fire", "flood")).problem(422);
        assert_eq!(reused["type"], "urn:northgate:problem:idempotency-key-reused");
        assert_eq!(count(&server, path), 1);
    }
}

#[test]
fn a_request_that_was_refused_leaves_its_key_free() {
    let server = TestServer::start();
    for (path, body, _) in ROUTES {
        post(&server, path, "k1", "{}").problem(422);
        post(&server, path, "k1", "{").problem(400);
        let sent = post(&server, path, "k1", body);
        assert_eq!((sent.status, sent.header("idempotent-replayed")), (200, None));
    }
}

#[test]
fn what_is_no_key_is_refused_and_nothing_is_kept() {
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
fn of_many_repeats_at_once_one_happens_and_all_get_its_answer() {
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
fn a_key_holds_across_a_restart() {
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
fn pages_may_read_that_an_answer_was_given_before() {
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
