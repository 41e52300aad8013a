//! A client for HTTP/1.1 that shows what was really sent.

use crate::PATIENCE;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The status line and the headers, word for word.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Asserts that this is a problem (RFC 9457) of this status, and gives its JSON.
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let json = self.json();
        assert_eq!(json["status"], status);
        for member in ["type", "title", "detail"] {
            assert!(json[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {json}");
        }
        json
    }
}

/// A connection on which nothing waits for longer than [`PATIENCE`].
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Sends `request` and reads one answer; `bodiless` if it is an answer to `HEAD`.
pub(crate) fn exchange(address: SocketAddr, request: &[u8], bodiless: bool) -> Answer {
    let mut stream = connect(address);
    // A server that refuses a body may close before it was all written: its answer still counts.
    let _ = stream.write_all(request);
    read_answer(&mut stream, bodiless)
}

/// Reads the head byte by byte, so that nothing behind the answer is taken from the stream.
pub(crate) fn read_answer(stream: &mut TcpStream, bodiless: bool) -> Answer {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            other => panic!("no answer: {other:?} after {:?}", String::from_utf8_lossy(&head)),
        }
    }
    let head = String::from_utf8(head).unwrap();
    let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
    if status == 100 {
        return read_answer(stream, bodiless);
    }
    let mut answer = Answer { status, head, body: Vec::new() };
    let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
    if !bodiless {
        answer.body.resize(length, 0);
        stream.read_exact(&mut answer.body).unwrap();
    }
    answer
}
