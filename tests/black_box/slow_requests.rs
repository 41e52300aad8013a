//! Slow clients: each part of a request has a time limit, and the server closes a connection that
//! exceeds the limit.

use northgate_testkit::{TestServer, read_response};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Upper bound of the server's reaction time: five times the request timeout of these tests, and
/// half of the default timeout.
const DEADLINE: Duration = Duration::from_secs(5);

const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// The first half of a request head. [`REST`] completes it.
const HALF: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
const REST: &str = "not so slow\r\n\r\n";
const POST: &str = "POST /alerts HTTP/1.1\r\nHost: localhost\r\n\
    Content-Type: application/json\r\nContent-Length: 30\r\n\r\n\
    {\"message\":\"a\",\"location\":\"b\"}";

/// A server where each part of a request may last one second.
fn impatient() -> TestServer {
    TestServer::with(|settings| {
        settings.server.request_timeout = "1s".parse().unwrap();
        settings.server.workers = 1.try_into().unwrap();
    })
}

fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).unwrap();
}

#[test]
fn an_unfinished_head_is_408_within_the_request_timeout() {
    let server = impatient();
    for start in ["", "GET / HTTP/1.1\r\nHost: loc"] {
        let asked = Instant::now();
        let mut slow = server.connect();
        send(&mut slow, start);
        assert_eq!(read_response(&mut slow).status, 408, "{start:?}");
        assert!(asked.elapsed() < DEADLINE, "{start:?}: {:?}", asked.elapsed());
    }
}

#[test]
fn an_unfinished_body_is_408_within_the_request_timeout() {
    let server = impatient();
    for headers in ["Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"]
    {
        let asked = Instant::now();
        let mut slow = server.connect();
        send(&mut slow, &format!("POST /alerts HTTP/1.1\r\nHost: localhost\r\n{headers}"));
        let problem = read_response(&mut slow).problem(408);
        assert_eq!(problem["type"], "urn:northgate:problem:too-slow");
        assert!(asked.elapsed() < DEADLINE, "{headers:?}: {:?}", asked.elapsed());
    }
}

/// Waits until the server has timed out another request, which is slightly longer than the timeout.
fn wait_for_a_timeout(server: &TestServer) {
    let mut slow = server.connect();
    assert_eq!(read_response(&mut slow).status, 408);
}

/// A connection on which one request was already answered.
fn second_hand(server: &TestServer) -> TcpStream {
    let mut stream = server.connect();
    send(&mut stream, GET);
    assert_eq!(read_response(&mut stream).status, 200);
    stream
}

/// Asserts that the server closes this connection in time, after at most a 408 answer.
fn assert_ended(stream: &mut TcpStream) {
    let asked = Instant::now();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 408 "), "{rest}");
    assert!(asked.elapsed() < DEADLINE, "{:?}", asked.elapsed());
}

#[test]
fn an_unfinished_later_head_closes_the_connection_in_time() {
    let server = impatient();
    let mut plain = second_hand(&server);
    send(&mut plain, HALF);
    let mut after_a_body = second_hand(&server);
    send(&mut after_a_body, POST);
    assert_eq!(read_response(&mut after_a_body).status, 200);
    send(&mut after_a_body, HALF);
    // The half head arrives in one write with two complete requests.
    let mut pipelined = server.connect();
    send(&mut pipelined, &[GET, GET, HALF].concat());
    assert_eq!(read_response(&mut pipelined).status, 200);
    assert_eq!(read_response(&mut pipelined).status, 200);
    for mut slow in [plain, after_a_body, pipelined] {
        assert_ended(&mut slow);
    }
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn a_head_that_arrives_in_single_bytes_is_closed_in_time() {
    let server = impatient();
    let mut slow = second_hand(&server);
    let asked = Instant::now();
    send(&mut slow, HALF);
    slow.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    // The loop ends when the server closes the connection. Until then there is nothing to read.
    while slow.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
        assert!(asked.elapsed() < DEADLINE, "{:?}", asked.elapsed());
        let _ = slow.write_all(b"x");
    }
}

#[test]
fn idle_connections_and_timely_requests_are_not_timed_out() {
    let server = impatient();
    let mut in_pieces = second_hand(&server);
    send(&mut in_pieces, HALF);
    // When this request is answered, the server has read the half head.
    server.raise("between the halves");
    send(&mut in_pieces, REST);
    assert_eq!(read_response(&mut in_pieces).status, 200);
    let mut idle = second_hand(&server);
    let mut silent = server.raw_socket();
    wait_for_a_timeout(&server);
    wait_for_a_timeout(&server);
    for stream in [&mut in_pieces, &mut idle] {
        send(stream, GET);
        assert_eq!(read_response(stream).status, 200);
    }
    // The request timeout does not apply to WebSocket frames.
    silent.send_frame(0x89, b"still there?");
    assert_eq!(silent.read_frame(), (0x8A, b"still there?".to_vec()));
    wait_for_a_timeout(&server);
    wait_for_a_timeout(&server);
    let alert = server.raise("after a silence");
    assert_eq!(silent.next_json(), alert);
}
