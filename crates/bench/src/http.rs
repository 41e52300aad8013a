//! As much HTTP/1.1 as a load generator needs: prebuilt requests, and answers read from any cut of bytes.

use std::iter;
use std::net::SocketAddr;

use thiserror::Error;

use crate::marker::{self, Marker, Run};

/// The key and its answer that RFC 6455, section 1.3 uses as its example.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// An answer whose headers are longer than this is no answer.
const MAX_HEAD: usize = 64 * 1024;

#[derive(Debug, Error)]
pub(crate) enum AnswerError {
    #[error("the answer's headers exceed 64 KiB")]
    LongHead,
    #[error("not an HTTP/1.1 answer: {0:?}")]
    NoHttp(String),
    #[error("the answer has no Content-Length")]
    NoLength,
}

/// The request that opens a WebSocket.
pub(crate) fn upgrade(host: SocketAddr, path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    )
    .into_bytes()
}

/// The request that opens an event stream.
pub(crate) fn subscribe(host: SocketAddr, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\r\n").into_bytes()
}

/// A question.
pub(crate) fn get(host: SocketAddr, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()
}

/// A `POST /alerts` whose text is overwritten for each alert and never changes its length.
#[derive(Clone, Debug)]
pub(crate) struct AlertRequest {
    bytes: Vec<u8>,
    text_at: usize,
    text_len: usize,
}

impl AlertRequest {
    /// An alert with a text of its own, which is to be sent as it is. It must need no escapes.
    pub(crate) fn saying(host: SocketAddr, text: &str) -> Vec<u8> {
        let Self { mut bytes, text_at, text_len } = Self::new(host, text.len());
        // Blanks at the end are not kept.
        let padded = text.bytes().chain(iter::repeat(b' '));
        for (place, byte) in bytes.iter_mut().skip(text_at).take(text_len).zip(padded) {
            *place = byte;
        }
        bytes
    }

    /// A text too short for a marker is lengthened.
    pub(crate) fn new(host: SocketAddr, message_bytes: usize) -> Self {
        const BEFORE: &str = r#"{"message":""#;
        // Short, for frames of 200 bytes.
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

    /// The request's bytes for this alert.
    pub(crate) fn marked(&mut self, run: &Run, marker: Marker) -> &[u8] {
        let end = self.text_at + self.text_len;
        if let Some(text) = self.bytes.get_mut(self.text_at..end) {
            run.write(marker, text);
        }
        &self.bytes
    }
}

/// One answer of a keep-alive connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Collects bytes and gives out whole answers.
#[derive(Debug, Default)]
pub(crate) struct AnswerReader {
    held: Vec<u8>,
}

impl AnswerReader {
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next whole answer, if it is there.
    pub(crate) fn take(&mut self) -> Result<Option<Answer>, AnswerError> {
        let Some((head, after)) = split_head(&self.held) else {
            return if self.held.len() > MAX_HEAD { Err(AnswerError::LongHead) } else { Ok(None) };
        };
        let status = status(head)?;
        let length = content_length(head).ok_or(AnswerError::NoLength)?;
        let Some((body, rest)) = after.split_at_checked(length) else {
            return Ok(None);
        };
        let body = body.to_vec();
        let used = self.held.len() - rest.len();
        self.held.drain(..used);
        Ok(Some(Answer { status, body }))
    }

    /// The status of an answer whose body never ends; what has come of the body stays.
    pub(crate) fn take_head(&mut self) -> Result<Option<u16>, AnswerError> {
        let Some((head, after)) = split_head(&self.held) else {
            return Ok(None);
        };
        let status = status(head)?;
        let used = self.held.len() - after.len();
        self.held.drain(..used);
        Ok(Some(status))
    }

    /// What came after the last answer: the first frames, after an upgrade.
    pub(crate) fn into_rest(self) -> Vec<u8> {
        self.held
    }
}

/// The header block and what follows its empty line; `None` while it is incomplete.
pub(crate) fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, rest) = bytes.split_at_checked(end)?;
    Some((head, rest.get(4..)?))
}

/// The value of `Content-Length`, whichever way its name is written.
pub(crate) fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let line = head
        .split(|&byte| byte == b'\n')
        .find(|line| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME)))?;
    std::str::from_utf8(line.get(NAME.len()..)?).ok()?.trim().parse().ok()
}

fn status(head: &[u8]) -> Result<u16, AnswerError> {
    head.strip_prefix(b"HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
        .ok_or_else(|| {
            let start = head.get(..40).unwrap_or(head);
            AnswerError::NoHttp(String::from_utf8_lossy(start).into_owned())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 2\r\nx: y\r\n\r\n{}\
        HTTP/1.1 422 Unprocessable Entity\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn answers_cut_at_any_byte_come_out_whole() {
        for cut in 0..=TWO.len() {
            let mut reader = AnswerReader::default();
            let mut found = Vec::new();
            for part in [&TWO[..cut], &TWO[cut..]] {
                reader.feed(part);
                while let Some(answer) = reader.take().unwrap() {
                    found.push((answer.status, answer.body));
                }
            }
            assert_eq!(found, [(200, b"{}".to_vec()), (422, Vec::new())], "cut at {cut}");
            assert!(reader.into_rest().is_empty());
        }
    }

    #[test]
    fn frames_behind_an_upgrade_are_kept() {
        let mut reader = AnswerReader::default();
        reader.feed(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi");
        assert_eq!(reader.take_head().unwrap(), Some(101));
        assert_eq!(reader.into_rest(), b"\x81\x02hi");
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let mut reader = AnswerReader::default();
        reader.feed(b"SSH-2.0-OpenSSH\r\n\r\n");
        assert!(matches!(reader.take(), Err(AnswerError::NoHttp(_))));
        let mut reader = AnswerReader::default();
        reader.feed(b"HTTP/1.1 200 OK\r\n\r\n");
        assert!(matches!(reader.take(), Err(AnswerError::NoLength)));
        let mut reader = AnswerReader::default();
        reader.feed(&vec![b'x'; MAX_HEAD + 1]);
        assert!(matches!(reader.take(), Err(AnswerError::LongHead)));
    }

    #[test]
    fn a_request_announces_its_length_and_keeps_it() {
        let mut request = AlertRequest::new(([127, 0, 0, 1], 80).into(), 100);
        let run = Run::begin();
        let first = Marker { publisher: 0, seq: 0, due: 1 };
        let later = Marker { publisher: 250, seq: 99_999, due: u64::MAX };
        let sent = request.marked(&run, later).to_vec();
        let (head, body) = split_head(&sent).unwrap();
        assert_eq!(content_length(head), Some(body.len()));
        let json: serde_json::Value = serde_json::from_slice(body).unwrap();
        assert_eq!(json["message"].as_str().unwrap().len(), 100);
        assert_eq!(json["location"], "B");
        assert_eq!(request.marked(&run, first).len(), sent.len());
    }
}
