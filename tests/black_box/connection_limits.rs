//! Limits on connections: a client over the limit is refused with a delay for its next attempt.

use northgate_testkit::{Record, TestServer, UPGRADE, eventually};

fn with_limit(count: usize) -> TestServer {
    TestServer::with(|settings| {
        settings.server.max_connections = count.try_into().unwrap();
        // Loopback clients are exempt from the limit per address, so this value has no effect.
        settings.server.max_connections_per_address = 1.try_into().unwrap();
    })
}

#[test]
fn a_full_server_refuses_an_upgrade_with_503_and_retry_after() {
    let server = with_limit(2);
    let mut socket = server.socket();
    let stream = server.event_stream("", "");
    let answer = server.request("GET", "/ws", UPGRADE, b"");
    let problem = answer.problem(503);
    assert_eq!(problem["type"], "urn:northgate:problem:full");
    assert!(problem["detail"].as_str().unwrap().contains("--max-connections"));
    assert_eq!(answer.header("retry-after"), Some("5"));
    // Connected clients and short requests are not affected.
    let alert = server.raise("all the same");
    assert_eq!(socket.next_json(), alert);
    drop(stream);
    eventually(|| server.request("GET", "/ws", UPGRADE, b"").status == 101);
}

#[test]
fn a_full_server_sends_event_sources_a_retry_delay() {
    let server = with_limit(1);
    let _socket = server.socket();
    let mut stream = server.event_stream("", "");
    assert_eq!(stream.head.status, 200, "a browser stops reconnecting after any other status");
    assert_eq!(stream.head.header("content-type"), Some("text/event-stream"));
    let retry = stream.next_record().unwrap();
    assert_eq!(retry, Record { retry: Some(5_000), ..Record::default() });
    let busy = stream.next_record().unwrap();
    assert_eq!(busy.event.as_deref(), Some("busy"));
    assert_eq!((busy.json()["type"].as_str(), busy.id), (Some("busy"), None));
    assert_eq!(stream.next_record(), None);
}
