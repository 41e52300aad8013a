//! Server-sent events, for browsers' `EventSource` and for `curl -N`.

use northgate_testkit::{EventStream, Record, TestServer, read_head, read_response};
use serde_json::{Value, json};
use std::io::Write;

/// Checks and skips the `retry` record with which every stream begins.
fn after_retry(mut stream: EventStream) -> EventStream {
    let first = stream.next_record().unwrap();
    assert_eq!(first, Record { retry: Some(2_000), ..Record::default() });
    stream
}

#[test]
fn a_stream_starts_with_its_position_and_sends_unnamed_events() {
    let server = TestServer::start();
    let before = server.raise("before");
    let mut stream = after_retry(server.event_stream("", ""));
    assert_eq!(stream.head.status, 200);
    assert_eq!(stream.head.header("content-type"), Some("text/event-stream"));
    assert_eq!(stream.head.header("cache-control"), Some("no-store, no-transform"));
    assert_eq!(stream.head.header("x-accel-buffering"), Some("no"));
    assert_eq!(stream.head.header("x-content-type-options"), Some("nosniff"));
    // A client that is disconnected before the first event can resume after this position.
    let here = json!({ "type": "live", "position": before["position"] });
    assert_eq!(stream.next_event(), (Some("live".to_owned()), here));
    let alert = server.raise("north\u{2028}\"quoted\"\nand a second line");
    assert_eq!(stream.next_event(), (None, alert));
    let posted = server.say("who is there?");
    assert_eq!(stream.next_event(), (None, posted));
}

#[test]
fn last_event_id_overrides_the_start_in_the_query() {
    let server = TestServer::start();
    let mut stream = after_retry(server.event_stream("?last=1&types=alert", ""));
    let (name, _) = stream.next_event();
    assert_eq!(name.as_deref(), Some("resume"));
    let (name, _) = stream.next_event();
    assert_eq!(name.as_deref(), Some("live"));
    let seen = server.raise("seen");
    assert_eq!(stream.next_event().1, seen);
    drop(stream);
    let missed = [server.raise("one"), server.raise("two")];
    server.say("not asked for");
    let id = format!("Last-Event-ID: {}\r\n", seen["position"].as_str().unwrap());
    let mut stream = after_retry(server.event_stream("?last=1&types=alert", &id));
    let resumed = json!({
        "type": "resume", "outcome": "complete", "position": seen["position"]
    });
    assert_eq!(stream.next_event(), (Some("resume".to_owned()), resumed));
    for alert in missed {
        assert_eq!(stream.next_event(), (None, alert));
    }
    assert_eq!(stream.next_event().0.as_deref(), Some("live"));
}

#[test]
fn a_malformed_last_event_id_is_a_gap_and_the_stream_becomes_live() {
    let server = TestServer::start();
    let last = server.raise("here");
    let position = last["position"].as_str().unwrap();
    let two = format!("{position}\r\nLast-Event-ID: {position}");
    let upper = position.to_uppercase();
    for id in ["42", "null", "undefined", "urn:uuid:1", &upper, "\u{fc}", &two] {
        let header = format!("Last-Event-ID: {id}\r\n");
        let mut stream = after_retry(server.event_stream("?last=1", &header));
        let (name, gap) = stream.next_event();
        assert_eq!((name.as_deref(), &gap["outcome"]), (Some("resume"), &json!("gap")), "{id}");
        assert_eq!(gap["position"], last["position"], "{id}");
        assert_eq!(stream.next_event().0.as_deref(), Some("live"), "{id}");
    }
    let mut stream = after_retry(server.event_stream("", "Last-Event-ID: 42\r\n"));
    assert_eq!(stream.next_event().1["outcome"], "gap");
    assert_eq!(stream.next_event().0.as_deref(), Some("live"));
    let alert = server.raise("now");
    assert_eq!(stream.next_event(), (None, alert));
    // A browser that has received no id yet sends an empty header.
    let mut stream = after_retry(server.event_stream("", "Last-Event-ID:\r\n"));
    assert_eq!(stream.next_event().0.as_deref(), Some("live"));
}

#[test]
fn an_id_in_the_query_works_and_the_header_has_precedence() {
    let server = TestServer::start();
    let seen = server.raise("seen");
    let missed = server.raise("missed");
    let position = |alert: &Value| alert["position"].as_str().unwrap().to_owned();
    for name in ["lastEventId", "lastEventID", "Last-Event-ID"] {
        let query = format!("?last=2&{name}={}", position(&seen));
        let mut stream = after_retry(server.event_stream(&query, ""));
        assert_eq!(stream.next_event().1["position"], seen["position"], "{name}");
        assert_eq!(stream.next_event(), (None, missed.clone()), "{name}");
        assert_eq!(stream.next_event().0.as_deref(), Some("live"), "{name}");

        let header = format!("Last-Event-ID: {}\r\n", position(&missed));
        let mut stream = after_retry(server.event_stream(&query, &header));
        assert_eq!(stream.next_event().1["position"], missed["position"], "{name}");
        assert_eq!(stream.next_event().0.as_deref(), Some("live"), "{name}");

        let mut stream = after_retry(server.event_stream(&format!("?{name}=null"), ""));
        assert_eq!(stream.next_event().1["outcome"], "gap", "{name}");
    }
}

#[test]
fn an_id_of_another_server_is_a_gap_and_the_stream_becomes_live() {
    let server = TestServer::start();
    let last = server.raise("here");
    let id = "Last-Event-ID: 0123456789abcdef-7\r\n";
    let mut stream = after_retry(server.event_stream("", id));
    let (name, gap) = stream.next_event();
    assert_eq!((name.as_deref(), &gap["outcome"]), (Some("resume"), &json!("gap")));
    assert_eq!(gap["position"], last["position"]);
    assert_eq!(stream.next_event().0.as_deref(), Some("live"));
    let alert = server.raise("now");
    assert_eq!(stream.next_event(), (None, alert));
}

#[test]
fn websocket_and_sse_send_the_same_events_in_the_same_order() {
    let server = TestServer::start();
    let mut socket = server.socket();
    let mut stream = after_retry(server.event_stream("", ""));
    stream.next_event();
    let alerts: Vec<Value> = (0..300).map(|n| server.raise(&n.to_string())).collect();
    for alert in alerts {
        assert_eq!(socket.next_json(), alert);
        assert_eq!(stream.next_event(), (None, alert));
    }
}

#[test]
fn a_head_request_for_events_leaves_the_connection_usable() {
    let server = TestServer::start();
    let answer = server.request("HEAD", "/events", "", b"");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    // The connection can be used for another request.
    let mut stream = server.connect();
    let requests = "HEAD /events HTTP/1.1\r\nHost: localhost\r\n\r\n\
                    GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(requests.as_bytes()).unwrap();
    assert_eq!(read_head(&mut stream).status, 200);
    assert_eq!(read_response(&mut stream).json()["message"], "Welcome to my WebSocket Application");
}

#[test]
fn a_page_of_a_foreign_origin_cannot_open_an_event_stream() {
    let server = TestServer::start();
    let answer = server.request("GET", "/events", "Origin: https://evil.test\r\n", b"");
    answer.problem(403);
    let mut local_page = server.event_stream("", "Origin: http://localhost:3000\r\n");
    let allowed = local_page.head.header("access-control-allow-origin");
    assert_eq!(allowed, Some("http://localhost:3000"));
    assert!(local_page.next_record().is_some());
}

#[test]
fn a_stopping_server_sends_every_event_and_then_a_retry_delay() {
    let mut server = TestServer::start();
    let mut streams: Vec<_> = (0..50).map(|_| after_retry(server.event_stream("", ""))).collect();
    for stream in &mut streams {
        stream.next_event();
    }
    let alerts: Vec<_> = (0..20).map(|n| server.raise(&n.to_string())).collect();
    server.begin_stop();
    let mut times: Vec<u64> = Vec::new();
    for mut stream in streams {
        for alert in &alerts {
            assert_eq!(&stream.next_event().1, alert);
        }
        times.push(stream.next_record().unwrap().retry.unwrap());
        assert_eq!(stream.next_record(), None);
    }
    times.sort_unstable();
    times.dedup();
    assert_eq!(times.len(), 50, "clients reconnect at different times: {times:?}");
    server.stopped();
}
