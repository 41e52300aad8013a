//! Clients that are slower than a request may be: each part of a request has its time, and who
//! exceeds it holds nothing.

use northgate_testkit::{TestServer, read_response};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Five times what a request gets here, and half of what it gets by default.
const DEADLINE: Duration = Duration::from_secs(5);

const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// The first half of a head, and what makes it whole.
const HALF: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
const REST: &str = "not so slow\r\n\r\n";
const POST: &str = "POST /alerts HTTP/1.1\r\nHost: localhost\r\n\
    Content-Type: application/json\r\nContent-Length: 30\r\n\r\n\
    {\"message\":\"a\",\"location\":\"b\"}";

/// A server where each part of a request has one second.
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
fn a_head_that_does_not_end_is_408_in_time() {
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
fn a_body_that_does_not_end_is_408_in_time() {
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

/// Waits as long as a request may take and a little longer, by the server's own clock.
fn wait_for_a_timeout(server: &TestServer) {
    let mut slow = server.connect();
    assert_eq!(read_response(&mut slow).status, 408);
}

/// A connection that has had an answer already.
fn second_hand(server: &TestServer) -> TcpStream {
    let mut stream = server.connect();
    send(&mut stream, GET);
    assert_eq!(read_response(&mut stream).status, 200);
    stream
}

/// Asserts that the server ends this connection in time, and says nothing more on it but perhaps
/// why.
fn assert_ended(stream: &mut TcpStream) {
    let asked = Instant::now();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 408 "), "{rest}");
    assert!(asked.elapsed() < DEADLINE, "{:?}", asked.elapsed());
}

#[test]
fn a_later_head_that_does_not_end_is_ended_in_time() {
    let server = impatient();
    let mut plain = second_hand(&server);
    send(&mut plain, HALF);
    let mut after_a_body = second_hand(&server);
    send(&mut after_a_body, POST);
    assert_eq!(read_response(&mut after_a_body).status, 200);
    send(&mut after_a_body, HALF);
    // The half comes with whole ones, and nothing more.
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
fn a_head_that_trickles_in_is_ended_in_time_too() {
    let server = impatient();
    let mut slow = second_hand(&server);
    let asked = Instant::now();
    send(&mut slow, HALF);
    slow.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    // Ends with the connection: until then there is nothing to read.
    while slow.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
        assert!(asked.elapsed() < DEADLINE, "{:?}", asked.elapsed());
        let _ = slow.write_all(b"x");
    }
}

#[test]
fn what_is_in_time_is_not_ended_by_it() {
    let server = impatient();
    let mut in_pieces = second_hand(&server);
    send(&mut in_pieces, HALF);
    // Once this is answered the server has seen the half.
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
    // A client's bytes on a socket are no heads.
    silent.send_frame(0x89, b"still there?");
    assert_eq!(silent.read_frame(), (0x8A, b"still there?".to_vec()));
    wait_for_a_timeout(&server);
    wait_for_a_timeout(&server);
    let alert = server.raise("after a silence");
    assert_eq!(silent.next_json(), alert);
}
