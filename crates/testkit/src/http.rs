//! HTTP/1.1 responses with their original head.

use serde_json::Value;
use std::io::{self, Read};

/// A response with its original head.
#[derive(Debug)]
pub struct HttpResponse {
    pub status: u16,
    /// Status line and headers, byte for byte.
    pub head: String,
    pub body: Vec<u8>,
}

/// Reads one response from a connection on which the test has sent a request.
#[track_caller]
pub fn read_response(stream: &mut impl Read) -> HttpResponse {
    HttpResponse::read(stream).unwrap()
}

/// Reads the head of a response without a body.
#[track_caller]
pub fn read_head(stream: &mut impl Read) -> HttpResponse {
    HttpResponse::read_head(stream).unwrap()
}

impl HttpResponse {
    /// Reads a head, and a body of the length that the head states. An incomplete response is an
    /// error.
    pub fn read(stream: &mut impl Read) -> io::Result<Self> {
        let mut response = Self::read_head(stream)?;
        response.body.resize(response.content_length().unwrap_or(0), 0);
        stream.read_exact(&mut response.body)?;
        Ok(response)
    }

    /// Reads the head byte by byte, so that the bytes after the head stay in the stream. Responses
    /// with status 100 are skipped.
    pub fn read_head(stream: &mut impl Read) -> io::Result<Self> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).map_err(|error| {
                let head = String::from_utf8_lossy(&head);
                io::Error::new(error.kind(), format!("{error} after {head:?}"))
            })?;
            head.extend(byte);
        }
        let head = String::from_utf8(head).unwrap();
        match head.split(' ').nth(1).unwrap().parse().unwrap() {
            100 => Self::read_head(stream),
            status => Ok(Self { status, head, body: Vec::new() }),
        }
    }

    /// Returns the value of a header. The case of the name does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn content_length(&self) -> Option<usize> {
        self.header("content-length").map(|length| length.parse().unwrap())
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Asserts that this is a problem (RFC 9457) with this status, and returns its JSON.
    #[track_caller]
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
