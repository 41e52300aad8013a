//! HTTP/1.1 for a load generator: prebuilt requests, and a parser for responses in pieces.

use std::io::{self, Read};
use std::iter;
use std::net::SocketAddr;

use httparse::{EMPTY_HEADER, Header, Status};
use thiserror::Error;

use crate::marker::{self, Marker, Run};

/// The example key of RFC 6455, section 1.3. [`ACCEPT`] is the value of `Sec-WebSocket-Accept` for
/// this key.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Longest head of a response in bytes. A longer head, or a head with more than `MAX_HEADERS`
/// headers, is an error.
const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 64;

#[derive(Debug, Error)]
pub(crate) enum ResponseError {
    #[error("the answer's headers exceed 64 KiB")]
    LongHead,
    #[error("the answer is not HTTP/1.1: {0:?}")]
    NoHttp(String),
    #[error("the answer has no Content-Length")]
    NoLength,
}

/// Returns the request that opens a WebSocket.
pub(crate) fn upgrade(host: SocketAddr, path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    )
    .into_bytes()
}

/// Returns the request that opens an event stream.
pub(crate) fn subscribe(host: SocketAddr, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\r\n").into_bytes()
}

pub(crate) fn get(host: SocketAddr, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()
}

/// A `POST /alerts` request with a text of fixed length, which is overwritten for each alert.
#[derive(Clone, Debug)]
pub(crate) struct AlertRequest {
    bytes: Vec<u8>,
    text_at: usize,
    text_len: usize,
}

impl AlertRequest {
    /// Returns a request with this text instead of a marker. The text must need no JSON escapes.
    pub(crate) fn with_text(host: SocketAddr, text: &str) -> Vec<u8> {
        let Self { mut bytes, text_at, text_len } = Self::new(host, text.len());
        // The server removes spaces at the end.
        let padded = text.bytes().chain(iter::repeat(b' '));
        for (place, byte) in bytes.iter_mut().skip(text_at).take(text_len).zip(padded) {
            *place = byte;
        }
        bytes
    }

    /// Creates a request whose text has `message_bytes` bytes, or as many as a marker needs.
    pub(crate) fn new(host: SocketAddr, message_bytes: usize) -> Self {
        const BEFORE: &str = r#"{"message":""#;
        // The location is short, so that a frame of 200 bytes is possible.
        const AFTER: &str = r#"","location":"B"}"#;
        let text_len = message_bytes.max(marker::MIN_TEXT);
        let body = BEFORE.len() + text_len + AFTER.len();
        let head = format!(
            "POST /alerts HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             Content-Length: {body}\r\n\r\n{BEFORE}"
        );
        let text_at = head.len();
        let mut bytes = head.into_bytes();
        bytes.resize(text_at + text_len, b'x');
        bytes.extend_from_slice(AFTER.as_bytes());
        Self { bytes, text_at, text_len }
    }

    /// Writes the marker of this alert into the request, and returns its bytes.
    pub(crate) fn marked(&mut self, run: &Run, marker: Marker) -> &[u8] {
        let end = self.text_at + self.text_len;
        if let Some(text) = self.bytes.get_mut(self.text_at..end) {
            run.write(marker, text);
        }
        &self.bytes
    }
}

/// One response of a keep-alive connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Collects bytes and returns complete responses.
#[derive(Debug, Default)]
pub(crate) struct ResponseReader {
    buffer: Vec<u8>,
}

impl ResponseReader {
    /// Performs one read(2). The end of the stream is an error, because a response is expected.
    pub(crate) fn read_from(&mut self, mut stream: impl Read) -> io::Result<()> {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.buffer.extend_from_slice(buffer.get(..read).unwrap_or_default());
                Ok(())
            }
        }
    }

    /// Returns the next response if it is complete.
    pub(crate) fn take(&mut self) -> Result<Option<Response>, ResponseError> {
        let Some(head) = parse_response_head(&self.buffer)? else {
            return Ok(None);
        };
        let length = head.content_length.ok_or(ResponseError::NoLength)?;
        let end = head.length.saturating_add(length);
        let Some(body) = self.buffer.get(head.length..end).map(<[u8]>::to_vec) else {
            return Ok(None);
        };
        self.buffer.drain(..end);
        Ok(Some(Response { status: head.start, body }))
    }

    /// Returns the status of a response whose body never ends, when the head is complete. Bytes
    /// after the head stay in the buffer.
    pub(crate) fn take_head(&mut self) -> Result<Option<u16>, ResponseError> {
        let Some(head) = parse_response_head(&self.buffer)? else {
            return Ok(None);
        };
        self.buffer.drain(..head.length);
        Ok(Some(head.start))
    }

    /// Returns the bytes after the last response. After an upgrade, these bytes are the first
    /// frames.
    pub(crate) fn into_rest(self) -> Vec<u8> {
        self.buffer
    }
}

/// The parts of a head that the bench uses.
pub(crate) struct Head<Start> {
    /// The status of a response, the method of a request.
    pub(crate) start: Start,
    pub(crate) content_length: Option<usize>,
    /// Length of the head in bytes, with the empty line.
    pub(crate) length: usize,
}

/// Parses the head at the start of `bytes`; `None` while the head is incomplete.
fn parse_response_head(bytes: &[u8]) -> Result<Option<Head<u16>>, ResponseError> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match (response.parse(bytes), response.code, response.version) {
        (Ok(Status::Complete(length)), Some(start), Some(1)) => {
            let content_length = content_length(response.headers);
            Ok(Some(Head { start, content_length, length }))
        }
        (Ok(Status::Partial), ..) if bytes.len() <= MAX_HEAD => Ok(None),
        (Ok(Status::Partial), ..) => Err(ResponseError::LongHead),
        _ => {
            let start = bytes.get(..40).unwrap_or(bytes);
            Err(ResponseError::NoHttp(String::from_utf8_lossy(start).into_owned()))
        }
    }
}

/// Parses the head at the start of `bytes`; `None` if the head is incomplete or not valid.
pub(crate) fn parse_request_head(bytes: &[u8]) -> Option<Head<&str>> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let Ok(Status::Complete(length)) = request.parse(bytes) else {
        return None;
    };
    let content_length = content_length(request.headers);
    Some(Head { start: request.method?, content_length, length })
}

fn content_length(headers: &[Header<'_>]) -> Option<usize> {
    let header = headers.iter().find(|it| it.name.eq_ignore_ascii_case("content-length"))?;
    std::str::from_utf8(header.value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 2\r\nx: y\r\n\r\n{}\
        HTTP/1.1 422 Unprocessable Entity\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn responses_divided_at_any_byte_are_parsed_completely() {
        for cut in 0..=TWO.len() {
            let mut reader = ResponseReader::default();
            let mut found = Vec::new();
            for part in [&TWO[..cut], &TWO[cut..]] {
                reader.buffer.extend_from_slice(part);
                while let Some(response) = reader.take().unwrap() {
                    found.push((response.status, response.body));
                }
            }
            assert_eq!(found, [(200, b"{}".to_vec()), (422, Vec::new())], "cut at {cut}");
            assert!(reader.into_rest().is_empty());
        }
    }

    #[test]
    fn frames_after_an_upgrade_stay_in_the_buffer() {
        let mut reader = ResponseReader {
            buffer: b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi"
                .to_vec(),
        };
        assert_eq!(reader.take_head().unwrap(), Some(101));
        assert_eq!(reader.into_rest(), b"\x81\x02hi");
    }

    #[test]
    fn bytes_that_are_not_a_response_are_an_error() {
        let take = |bytes: &[u8]| ResponseReader { buffer: bytes.to_vec() }.take();
        assert!(matches!(take(b"SSH-2.0-OpenSSH\r\n\r\n"), Err(ResponseError::NoHttp(_))));
        assert!(matches!(take(b"HTTP/1.0 200 OK\r\n\r\n"), Err(ResponseError::NoHttp(_))));
        assert!(matches!(take(b"HTTP/1.1 200 OK\r\n\r\n"), Err(ResponseError::NoLength)));
        let long = [b"HTTP/1.1 200 OK\r\nx: ".as_slice(), &vec![b'x'; MAX_HEAD]].concat();
        assert!(matches!(take(&long), Err(ResponseError::LongHead)));
    }

    #[test]
    fn a_marker_does_not_change_the_length_of_a_request() {
        let mut request = AlertRequest::new(([127, 0, 0, 1], 80).into(), 100);
        let run = Run::begin();
        let first = Marker { publisher: 0, seq: 0, due: 1 };
        let later = Marker { publisher: 250, seq: 99_999, due: u64::MAX };
        let sent = request.marked(&run, later).to_vec();
        let head = parse_request_head(&sent).unwrap();
        let body = &sent[head.length..];
        assert_eq!((head.start, head.content_length), ("POST", Some(body.len())));
        let json: serde_json::Value = serde_json::from_slice(body).unwrap();
        assert_eq!(json["message"].as_str().unwrap().len(), 100);
        assert_eq!(json["location"], "B");
        assert_eq!(request.marked(&run, first).len(), sent.len());
    }
}
