//! HTTP connections: pipelining, framing, keep-alive, `Expect`, and malformed bodies and heads.

use northgate_testkit::{TestServer, eventually, read_head, read_response};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

const BODY: &str = r#"{"message":"Intruder detected","location":"North Gate"}"#;

/// A request that raises an alert, with additional headers.
fn raise(headers: &str) -> String {
    format!(
        "POST /alerts HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    )
}

fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

fn send(stream: &mut TcpStream, requests: &[&str]) {
    stream.write_all(requests.concat().as_bytes()).unwrap();
}

/// Reads until the server closes the connection.
fn rest(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    String::from_utf8(rest).unwrap()
}

fn count(server: &TestServer) -> Value {
    server.get("/alerts").json()["count"].clone()
}

#[test]
fn pipelined_get_and_head_answers_are_framed_correctly() {
    let server = TestServer::start();
    let mut stream = server.connect();
    let (get, head) = (request("GET", "/", ""), request("HEAD", "/", ""));
    send(&mut stream, &[&raise(""), &head, &get, &get, &head, &raise("")]);
    assert_eq!(read_response(&mut stream).json()["message"], "Intruder detected");
    assert_eq!(read_head(&mut stream).status, 200);
    assert_eq!(read_response(&mut stream).json()["message"], "Welcome to my WebSocket Application");
    assert_eq!(read_response(&mut stream).json()["message"], "Welcome to my WebSocket Application");
    assert_eq!(read_head(&mut stream).status, 200);
    assert_eq!(read_response(&mut stream).json()["message"], "Intruder detected");
}

#[test]
fn requests_after_connection_close_are_not_executed() {
    let server = TestServer::start();
    let mut stream = server.connect();
    send(&mut stream, &[&raise("Connection: close\r\n"), &raise(""), &raise("")]);
    let answer = read_response(&mut stream);
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert_eq!(rest(&mut stream), "");
    assert_eq!(count(&server), 1);
}

#[test]
fn version_and_connection_header_affect_only_their_own_answer() {
    let server = TestServer::start();
    let mut stream = server.connect();
    let old = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let last = request("GET", "/", "Connection: close\r\n");
    send(&mut stream, &[old, &raise(""), &last]);
    let first = read_response(&mut stream);
    assert!(first.head.starts_with("HTTP/1.0 200 OK\r\n"), "{first:?}");
    assert_eq!(first.header("connection"), Some("keep-alive"));
    let second = read_response(&mut stream);
    assert!(second.head.starts_with("HTTP/1.1 200 OK\r\n"), "{second:?}");
    assert_eq!(second.header("connection"), None);
    assert_eq!(read_response(&mut stream).header("connection"), Some("close"));
    assert_eq!(rest(&mut stream), "");
}

#[test]
fn an_event_stream_continues_after_a_pipelined_head_request() {
    let server = TestServer::start();
    let mut stream = server.connect();
    send(&mut stream, &[&request("GET", "/events", ""), &request("HEAD", "/", "")]);
    assert_eq!(read_head(&mut stream).header("transfer-encoding"), Some("chunked"));
    let alert = server.raise("heard");
    let id = alert["id"].as_str().unwrap();
    let mut heard = String::new();
    while !heard.contains(id) {
        let mut bytes = [0; 1024];
        let read = stream.read(&mut bytes).unwrap();
        assert!(read > 0, "the server ended the stream after: {heard}");
        heard.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }
}

#[test]
fn an_http_1_0_event_stream_is_delimited_by_connection_close() {
    let mut server = TestServer::start();
    let mut stream = server.connect();
    send(&mut stream, &["GET /events HTTP/1.0\r\n\r\n"]);
    let head = read_head(&mut stream);
    assert!(head.head.starts_with("HTTP/1.0 200 OK\r\n"), "{head:?}");
    assert_eq!(head.header("transfer-encoding"), None);
    assert_eq!(head.header("content-length"), None);
    let alert = server.raise("heard");
    server.begin_stop();
    let body = rest(&mut stream);
    assert!(body.starts_with("retry: 2000\n\nevent: live\ndata: "), "{body}");
    assert!(body.contains(&format!("data: {{\"id\":{}", alert["id"])), "{body}");
    assert!(body.lines().all(|line| line.is_empty() || line.contains(':')), "{body}");
}

#[test]
fn an_idle_connection_is_closed_after_the_keep_alive_time() {
    let server = TestServer::with(|settings| {
        settings.server.keep_alive = "1s".parse().unwrap();
    });
    let mut idle = server.connect();
    let asked = Instant::now();
    send(&mut idle, &[&request("GET", "/", "")]);
    assert_eq!(read_response(&mut idle).status, 200);
    assert_eq!(rest(&mut idle), "");
    assert!(asked.elapsed() >= Duration::from_millis(400), "{:?}", asked.elapsed());
}

#[test]
fn an_offer_of_h2c_is_ignored() {
    let server = TestServer::start();
    let java = "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEA\r\nUpgrade: h2c\r\n";
    let mut stream = server.connect();
    let chunked = format!("{java}Transfer-Encoding: chunked\r\n");
    let body = format!("{:x}\r\n{BODY}\r\n0\r\n\r\n", BODY.len());
    send(&mut stream, &[&request("POST", "/alerts", &chunked), &body]);
    let answer = read_response(&mut stream);
    assert_eq!((answer.status, answer.header("connection")), (200, None), "{answer:?}");
    // The connection can still be used.
    send(&mut stream, &[&request("GET", "/", java), &raise(java)]);
    for _ in 0..2 {
        let answer = read_response(&mut stream);
        assert_eq!((answer.status, answer.header("connection")), (200, None), "{answer:?}");
    }
}

/// Sends a request head with `Expect: 100-continue` and no body yet.
fn expecting(server: &TestServer, path: &str, headers: &str) -> TcpStream {
    let mut stream = server.connect();
    let headers = format!("Expect: 100-continue\r\n{headers}");
    send(&mut stream, &[&request("POST", path, &headers)]);
    stream
}

#[test]
fn a_request_refused_by_its_head_is_answered_before_its_body() {
    let server = TestServer::start();
    for (path, headers, status) in [
        ("/nope", "Content-Length: 10\r\n", 404),
        ("/alerts/history", "Content-Length: 10\r\n", 405),
        ("/alerts", "Content-Length: 70000\r\n", 413),
        ("/alerts", "Content-Length: 10\r\nContent-Type: text/plain\r\n", 415),
        ("/alerts", "Content-Length: 10\r\nContent-Encoding: br\r\n", 415),
        ("/alerts", "Content-Length: 10\r\nOrigin: http://evil.test\r\n", 403),
        ("/alerts", "Content-Length: 10\r\nIdempotency-Key: \u{fc}\r\n", 400),
    ] {
        let asked = Instant::now();
        let mut stream = expecting(&server, path, headers);
        let text = rest(&mut stream);
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
        assert!(text.to_lowercase().contains("\r\nconnection: close\r\n"), "{text}");
        // This limit is half of the time for which the server would wait for a body.
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    }
}

#[test]
fn an_expected_body_is_requested_with_one_100_continue() {
    let server = TestServer::start();
    let mut stream = expecting(&server, "/alerts", &format!("Content-Length: {}\r\n", BODY.len()));
    let mut invitation = [0; 25];
    stream.read_exact(&mut invitation).unwrap();
    assert_eq!(&invitation, b"HTTP/1.1 100 Continue\r\n\r\n");
    let (one, other) = BODY.split_at(20);
    send(&mut stream, &[one]);
    send(&mut stream, &[other, &request("GET", "/", "Connection: close\r\n")]);
    let text = rest(&mut stream);
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(!text.contains("100 Continue"), "{text}");
    assert_eq!(count(&server), 1);
    // A client that sends its body without waiting receives no 100 Continue.
    let mut stream = server.connect();
    send(&mut stream, &[&raise("Expect: 100-continue\r\nConnection: close\r\n")]);
    assert!(rest(&mut stream).starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(count(&server), 2);
}

#[test]
fn a_client_that_half_closed_its_connection_is_answered() {
    let server = TestServer::start();
    let mut stream = server.connect();
    send(&mut stream, &[&raise(""), &raise("")]);
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_response(&mut stream).status, 200);
    assert_eq!(read_response(&mut stream).status, 200);
    assert_eq!(rest(&mut stream), "");
    assert_eq!(count(&server), 2);
    // An incomplete body is refused.
    let mut stream = server.connect();
    let whole = raise("");
    send(&mut stream, &[&whole[..whole.len() - 5]]);
    stream.shutdown(Shutdown::Write).unwrap();
    read_response(&mut stream).problem(400);
    assert_eq!(rest(&mut stream), "");
    assert_eq!(count(&server), 2);
}

#[test]
fn a_malformed_chunked_body_gets_one_400_and_a_close() {
    let server = TestServer::start();
    let head = request("POST", "/alerts", "Transfer-Encoding: chunked\r\n");
    for body in ["0x5\r\nhello", "+5\r\n", "\r\n", "ZZ\r\n", "5\nhello", "5\r\nhello0\r\n\r\n", "g"]
    {
        let mut stream = server.connect();
        send(&mut stream, &[&head, body, &raise("")]);
        let answer = read_response(&mut stream);
        assert_eq!(answer.problem(400)["type"], "urn:northgate:problem:broken-body", "{body:?}");
        assert_eq!(answer.header("connection"), Some("close"), "{body:?}");
        assert_eq!(rest(&mut stream), "", "{body:?}");
    }
    assert_eq!(count(&server), 0);
}

#[test]
fn a_request_cannot_be_smuggled_in_a_body() {
    let server = TestServer::start();
    let chunked = request("POST", "/alerts", "Transfer-Encoding: chunked\r\n");
    let body = format!("{:x}\r\n{BODY}\r\n", BODY.len());
    let hidden = raise("");
    // Some parsers accept each of these texts as the end of a body, and others accept it as a part
    // of the body.
    for end in ["0\r\nX: y\n\r\n", "0\r\n\n", "0\r\nX y\r\n\r\n", "0\n\n", "0\r\n\r"] {
        let carrier = raise("").replace(BODY, &hidden);
        let mut stream = server.connect();
        send(&mut stream, &[&chunked, &body, end, &carrier]);
        let answer = read_response(&mut stream);
        answer.problem(400);
        assert_eq!(answer.header("connection"), Some("close"), "{end:?}");
        assert_eq!(rest(&mut stream), "", "{end:?}");
    }
    for tunnel in ["CONNECT a:1", "CONNECT /"] {
        let head = format!("{tunnel} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc");
        let mut stream = server.connect();
        send(&mut stream, &[&head, &hidden]);
        let answer = read_response(&mut stream);
        answer.problem(405);
        assert_eq!(answer.header("allow"), Some("GET, HEAD, POST, OPTIONS"));
        assert_eq!(rest(&mut stream), "");
    }
    assert_eq!(count(&server), 0);
}

#[test]
fn an_incomplete_body_is_408_and_closes_the_connection() {
    let server = TestServer::with(|settings| {
        settings.server.request_timeout = "1s".parse().unwrap();
    });
    let head = request("POST", "/alerts", "Transfer-Encoding: chunked\r\n");
    let mut stream = server.connect();
    send(&mut stream, &[&head, "5\r\nab"]);
    let answer = read_response(&mut stream);
    answer.problem(408);
    assert_eq!(answer.header("connection"), Some("close"));
    // The rest of the body arrives too late, and the next request on the connection is not
    // executed.
    let _ = stream.write_all(["cde\r\n0\r\n\r\n", &raise("")].concat().as_bytes());
    assert_eq!(rest(&mut stream), "");
    assert_eq!(count(&server), 0);
}

#[test]
fn requests_after_a_large_answer_and_a_close_are_not_executed() {
    let server = TestServer::start();
    let large = request("GET", "/docs/swagger-ui-bundle.js", "");
    let closing = raise("Connection: close\r\n");
    let old = format!("POST /alerts HTTP/1.0\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len());
    for (round, last) in [&closing, &old].into_iter().cycle().take(20).enumerate() {
        let mut stream = server.connect();
        send(&mut stream, &[&large, last, &raise(""), &raise("")]);
        // During this pause the client does not read, so the server cannot write the end of the
        // large answer.
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(read_response(&mut stream).status, 200);
        assert_eq!(read_response(&mut stream).status, 200);
        assert_eq!(rest(&mut stream), "");
        assert_eq!(count(&server), (round + 1).min(10));
        assert_eq!(server.get("/alerts?limit=1000").json()["count"], round + 1);
    }
}

#[test]
fn a_header_name_over_1024_bytes_is_400() {
    let server = TestServer::start();
    for length in [1_025, 65_535, 65_536, 100_000] {
        let head = request("GET", "/", &format!("{}: a\r\n", "X".repeat(length)));
        let mut stream = server.connect();
        send(&mut stream, &[&head]);
        read_response(&mut stream).problem(400);
        assert_eq!(rest(&mut stream), "", "{length}");
    }
    let head = request("GET", "/", &format!("{}: a\r\n", "X".repeat(1_024)));
    let mut stream = server.connect();
    send(&mut stream, &[&head]);
    assert_eq!(read_response(&mut stream).status, 200);
}

#[test]
fn an_incomplete_head_is_400_when_the_client_half_closes() {
    let server = TestServer::start();
    let mut stream = server.connect();
    send(&mut stream, &[&request("GET", "/", ""), "GET / HTTP/1.1\r\nHost: loc"]);
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_response(&mut stream).status, 200);
    read_response(&mut stream).problem(400);
    assert_eq!(rest(&mut stream), "");
}

#[test]
fn unfinished_heads_share_a_memory_limit_and_small_requests_pass() {
    // This timeout is long enough that no request times out before all 300 requests have begun.
    let server = TestServer::with(|settings| {
        settings.server.request_timeout = "2m".parse().unwrap();
    });
    let half = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}", "x".repeat(125_000));
    let mut streams: Vec<_> = (0..300).map(|_| server.connect()).collect();
    for stream in &mut streams {
        // The server may close a refused connection before all bytes are sent.
        let _ = stream.write_all(half.as_bytes());
        stream.set_nonblocking(true).unwrap();
    }
    assert_eq!(server.get("/").status, 200);
    let mut refused = eventually(|| {
        let mut refused =
            streams.iter().filter(|stream| stream.peek(&mut [0]).is_ok_and(|n| n > 0));
        refused.next_back().map(|stream| stream.try_clone().unwrap())
    });
    refused.set_nonblocking(false).unwrap();
    let answer = read_response(&mut refused);
    assert_eq!(answer.problem(503)["type"], "urn:northgate:problem:busy");
    // Closed connections release their memory.
    drop((streams, refused));
    let whole = format!("{half}\r\n\r\n");
    let (answer, mut stream) = eventually(|| {
        let mut stream = server.connect();
        stream.write_all(whole.as_bytes()).unwrap();
        let answer = read_response(&mut stream);
        if answer.status == 200 { Ok((answer, stream)) } else { Err(format!("{answer:?}")) }
    });
    assert_eq!(
        answer.header("connection"),
        Some("close"),
        "the server frees the large head buffer by closing"
    );
    assert_eq!(rest(&mut stream), "");
}
