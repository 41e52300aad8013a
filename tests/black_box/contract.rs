//! Compatibility with the service that Northgate replaced: one test for each behaviour.

use northgate_testkit::{TestServer, read_head, read_response};
use serde_json::{Value, json};
use std::io::{Read, Write};

fn assert_is_uuid4(value: &Value) {
    let id = value.as_str().unwrap();
    let groups: Vec<_> = id.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
    assert_eq!(id.as_bytes()[14], b'4', "{id}");
}

fn assert_is_timestamp(value: &Value) {
    let text = value.as_str().unwrap();
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000Z", "{text}");
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_root_returns_the_welcome_message() {
    let server = TestServer::start();
    let answer = server.get("/");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.text(), r#"{"message":"Welcome to my WebSocket Application"}"#);
}

#[test]
fn a_posted_alert_is_answered_stored_and_sent_to_every_socket() {
    let server = TestServer::start();
    let (mut one, mut two) = (server.socket(), server.socket());
    let answer =
        server.post("/alerts", r#"{"message":"Intruder detected","location":"North Gate"}"#);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let alert = answer.json();
    assert_eq!(
        keys(&alert),
        [
            "count",
            "first_seen",
            "id",
            "last_seen",
            "location",
            "message",
            "position",
            "revision",
            "severity",
            "status",
            "timestamp",
            "type",
            "updated_at"
        ]
    );
    assert_is_uuid4(&alert["id"]);
    assert_is_timestamp(&alert["timestamp"]);
    assert_eq!(alert["type"], "alert");
    assert_eq!(alert["message"], "Intruder detected");
    assert_eq!(alert["location"], "North Gate");
    assert_eq!(alert["revision"], 1);
    assert!(alert["position"].is_string());

    for socket in [&mut one, &mut two] {
        assert_eq!(
            socket.next_text().as_bytes(),
            answer.body,
            "the frame has the same bytes as the answer"
        );
        socket.assert_nothing_came();
    }
    let history = server.get("/alerts/history").json();
    assert_eq!(
        history,
        json!({
            "alerts": [alert], "count": 1, "position": alert["position"], "next": null, "previous": null
        })
    );
}

#[test]
fn a_socket_receives_only_events_after_its_connect() {
    let server = TestServer::start();
    server.raise("long ago");
    let mut socket = server.socket();
    socket.assert_nothing_came();
    let alert = server.raise("now");
    assert_eq!(socket.next_json(), alert);
}

#[test]
fn the_history_shows_the_last_ten_events_oldest_first() {
    let server = TestServer::start();
    assert_eq!(server.get("/alerts/history").json()["alerts"], json!([]));
    assert_eq!(server.get("/message/").json()["chatMessages"], json!([]));
    for n in 0..12 {
        server.raise(&format!("alert {n}"));
        server.post(
            "/message/",
            json!({ "sender": "Op", "message": format!("chat {n}") }).to_string(),
        );
    }
    for (path, member, word) in
        [("/alerts/history", "alerts", "alert"), ("/message/", "chatMessages", "chat")]
    {
        let history = server.get(path).json();
        assert_eq!(history["count"], 10);
        let messages: Vec<_> = history[member]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["message"].clone())
            .collect();
        let expected: Vec<_> = (2..12).map(|n| json!(format!("{word} {n}"))).collect();
        assert_eq!(messages, expected);
    }
}

#[test]
fn chat_from_a_socket_reaches_all_sockets_and_its_sender() {
    let server = TestServer::start();
    let (mut sender, mut other) = (server.socket(), server.socket());
    sender.send(r#"{"sender":"Operator 1","message":"What’s happening at North Gate?"}"#);
    let message = sender.next_json();
    assert_eq!(keys(&message), ["id", "message", "position", "sender", "timestamp", "type"]);
    assert_is_uuid4(&message["id"]);
    assert_is_timestamp(&message["timestamp"]);
    assert_eq!(message["type"], "chat");
    assert_eq!(message["sender"], "Operator 1");
    assert_eq!(message["message"], "What’s happening at North Gate?");
    assert_eq!(other.next_json(), message);
    assert_eq!(server.get("/message/").json()["chatMessages"], json!([message]));
}

#[test]
fn chat_over_http_is_answered_stored_and_sent() {
    let server = TestServer::start();
    let mut socket = server.socket();
    let answer = server.post("/message/", r#"{"sender":"Op","message":"hello"}"#);
    assert_eq!(answer.status, 200);
    assert_eq!(socket.next_text().as_bytes(), answer.body);
    let history = server.get("/message/").json();
    let message = answer.json();
    assert_eq!(
        history,
        json!({
            "chatMessages": [message], "count": 1, "position": message["position"],
            "next": null, "previous": null
        })
    );
}

#[test]
fn an_invalid_chat_message_is_an_error_for_its_sender_only() {
    const PLAIN: &str = r#"{"type":"error","message":"Invalid chat message. Expected: sender (str), message (str)."}"#;
    let server = TestServer::start();
    let (mut sender, mut other) = (server.socket(), server.socket());
    for text in ["hello", "{", "\u{0}", "[[["] {
        sender.send(text);
        assert_eq!(sender.next_text(), PLAIN);
    }
    sender.send_binary(br#"{"sender":"Op","message":"binary"}"#);
    assert_eq!(sender.next_text(), PLAIN);
    for (text, pointers) in [
        (r#"{"sender":"Op"}"#, vec!["#/message"]),
        (r#"{"sender":null,"message":7}"#, vec!["#/message", "#/sender"]),
        (r#"{"sender":" ","message":"x"}"#, vec!["#/sender"]),
        ("[]", vec!["#"]),
        ("\"text\"", vec!["#"]),
        ("", vec!["#"]),
    ] {
        sender.send(text);
        let error = sender.next_json();
        assert_eq!(error["type"], "error");
        assert_eq!(
            error["message"],
            "Invalid chat message. Expected: sender (str), message (str)."
        );
        let found: Vec<_> =
            error["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
        assert_eq!(found, pointers, "{text}");
    }
    sender.send(r#"{"sender":"Op","message":"still here"}"#);
    assert_eq!(sender.next_json()["message"], "still here");
    assert_eq!(other.next_json()["message"], "still here");
}

#[test]
fn the_generator_raises_an_alert_at_start_and_at_every_interval() {
    let server =
        TestServer::with(|settings| settings.generator.interval = "100ms".parse().unwrap());
    let mut socket = server.socket();
    let alert = socket.next_json();
    assert_eq!(alert["message"], "Intruder detected");
    assert_eq!(alert["location"], "North Gate");
    assert_eq!(alert["source"], "generator");
    assert_eq!(alert["type"], "alert");
    assert_eq!(socket.next_json()["source"], "generator");

    let hourly = TestServer::with(|settings| settings.generator.interval = "1h".parse().unwrap());
    let first =
        (0..2_000).find_map(|_| hourly.get("/alerts/history").json()["alerts"].get(0).cloned());
    assert_eq!(
        first.unwrap()["source"],
        "generator",
        "the generator raises its first alert at start"
    );
}

#[test]
fn every_path_works_with_and_without_a_trailing_slash() {
    let server = TestServer::start();
    for path in ["/alerts/history", "/message", "/openapi.json", "/docs"] {
        for spelling in [path.to_owned(), format!("{path}/")] {
            assert_eq!(server.get(&spelling).status, 200, "{spelling}");
        }
    }
    for path in ["/alerts", "/alerts/"] {
        let body = r#"{"message":"a","location":"b"}"#;
        assert_eq!(server.post(path, body).status, 200, "{path}");
    }
    for path in ["/message", "/message/"] {
        assert_eq!(server.post(path, r#"{"sender":"a","message":"b"}"#).status, 200, "{path}");
    }
}

#[test]
fn json_is_accepted_with_no_or_any_json_content_type() {
    let server = TestServer::start();
    let body = br#"{"message":"a","location":"b"}"#;
    for headers in [
        "",
        "Content-Type: application/json\r\n",
        "Content-Type: application/json; charset=utf-8\r\n",
        "Content-Type: application/vnd.alert+json\r\n",
    ] {
        assert_eq!(server.request("POST", "/alerts", headers, body).status, 200, "{headers}");
    }
    let marked = [b"\xEF\xBB\xBF", &body[..]].concat();
    assert_eq!(server.post("/alerts", marked).status, 200, "with a byte order mark");
}

#[test]
fn unknown_fields_are_ignored_and_the_last_duplicate_counts() {
    let server = TestServer::start();
    let body = r#"{"id":"mine","type":"chat","timestamp":1,"x":{"y":[1]},"message":5,
        "message":"kept","location":"here"}"#;
    let alert = server.post("/alerts?limit=1&x=%20", body).json();
    assert_eq!(alert["message"], "kept");
    assert_eq!(alert["type"], "alert");
    assert_is_uuid4(&alert["id"]);
    assert_is_timestamp(&alert["timestamp"]);
    assert_eq!(server.get("/alerts/history?page=0&nothing").status, 200);
}

#[test]
fn text_is_stored_trimmed_with_unix_line_ends_and_else_unchanged() {
    let server = TestServer::start();
    let mut socket = server.socket();
    let body =
        json!({ "message": "  a\r\nb\t\u{1F6A8} \"<script>\" \u{2028} ", "location": " L " });
    let alert = server.post("/alerts", body.to_string()).json();
    assert_eq!(alert["message"], "a\nb\t\u{1F6A8} \"<script>\"");
    assert_eq!(alert["location"], "L");
    assert_eq!(socket.next_json(), alert);
}

#[test]
fn get_paths_answer_head_and_all_paths_answer_options() {
    let server = TestServer::start();
    server.raise("one");
    for path in ["/", "/alerts/history", "/message/", "/openapi.json", "/docs"] {
        let get = server.get(path);
        let head = server.request("HEAD", path, "", b"");
        assert_eq!(head.status, 200, "{path}");
        for header in ["content-type", "content-length"] {
            assert_eq!(head.header(header), get.header(header), "{path}");
        }
    }
    for (path, allow) in [
        ("/", "GET, HEAD, OPTIONS"),
        ("/alerts", "GET, HEAD, POST, OPTIONS"),
        ("/alerts/x", "GET, HEAD, OPTIONS"),
        ("/alerts/history", "GET, HEAD, OPTIONS"),
        ("/message/", "GET, HEAD, POST, OPTIONS"),
        ("/ws", "GET, OPTIONS"),
    ] {
        let options = server.request("OPTIONS", path, "", b"");
        assert_eq!(options.status, 200, "{path}");
        assert_eq!(options.header("allow"), Some(allow), "{path}");
        let wrong = server.request("DELETE", path, "", b"");
        wrong.problem(405);
        assert_eq!(wrong.header("allow"), Some(allow), "{path}");
    }
}

/// The server answers pipelined requests in their order (RFC 9112 section 9.3.2).
#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = TestServer::start();
    let body = r#"{"message":"a","location":"b"}"#;
    let post = format!(
        "POST /alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let chunked = format!(
        "POST /alerts HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    let head = "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut connection = server.connect();
    let all = [&post, head, get, &chunked, head, get].concat();
    connection.write_all(all.as_bytes()).unwrap();
    for request in [&post, head, get, &chunked, head, get] {
        let answer = if request.starts_with("HEAD") {
            read_head(&mut connection)
        } else {
            read_response(&mut connection)
        };
        assert_eq!(answer.status, 200);
        match request.split(' ').next() {
            Some("HEAD") => assert_eq!(answer.header("content-length"), Some("49")),
            Some("GET") => assert_eq!(answer.body.len(), 49),
            _ => assert_eq!(answer.json()["location"], "b"),
        }
    }
    // `Connection: close` ends the connection, and the next request is not executed.
    let close = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    connection.write_all([close, &post].concat().as_bytes()).unwrap();
    let answer = read_response(&mut connection);
    assert_eq!(answer.header("connection"), Some("close"));
    let mut rest = Vec::new();
    // A reset also counts as the end: the server did not read the bytes after the request.
    let _ = connection.read_to_end(&mut rest);
    assert_eq!(rest, b"");
    assert_eq!(server.get("/alerts").json()["count"], 2);
}
