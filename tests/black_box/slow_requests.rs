//! Clients that are slower than a request may be: each part of a request has its time, and who
//! exceeds it holds nothing.

use northgate_tests::{TestServer, read_answer};
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Five times what a request gets here, and half of what it gets by default.
const DEADLINE: Duration = Duration::from_secs(5);

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
        assert_eq!(read_answer(&mut slow).status, 408, "{start:?}");
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
        let problem = read_answer(&mut slow).problem(408);
        assert_eq!(problem["type"], "urn:northgate:problem:too-slow");
        assert!(asked.elapsed() < DEADLINE, "{headers:?}: {:?}", asked.elapsed());
    }
}
