//! A client in plain sockets: enough of HTTP and WebSocket to see what is on the wire.

use crate::program::SOON;
use serde_json::Value;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// An answer over HTTP.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Answer {
    request(address, "GET", path, &[], "")
}

pub(crate) fn post(address: SocketAddr, path: &str, body: &str) -> Answer {
    request(address, "POST", path, &[("Content-Type", "application/json")], body)
}

/// One request on a connection of its own.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    try_request(address, method, path, headers, body).expect("a whole answer")
}

/// As [`request`], to a server that may end at any time: half an answer is an error.
pub(crate) fn try_request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Answer> {
    let mut stream = connect(address)?;
    let mut request = Vec::new();
    write!(request, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n")
        .unwrap();
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    write!(request, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    stream.write_all(&request)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap().parse().unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    let answer = Answer { status, headers: lines.map(header).collect(), body: body.to_owned() };
    match answer.header("content-length").map(str::parse) {
        Some(Ok(length)) if body.len() < length => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(answer),
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, SOON)?;
    stream.set_read_timeout(Some(SOON))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A frame as it came.
#[derive(Debug, PartialEq)]
pub(crate) enum Frame {
    Text(Value),
    /// With the code and the reason.
    Close(u16, String),
}

/// An open WebSocket.
pub(crate) struct Socket(TcpStream);

impl Socket {
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::resume(address, "").unwrap()
    }

    /// With a query such as `?after=…`, to a server that may end at any time.
    pub(crate) fn resume(address: SocketAddr, query: &str) -> io::Result<Self> {
        let mut stream = connect(address)?;
        let head = format!(
            "GET /ws{query} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            answer.extend(byte);
        }
        assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
        Ok(Self(stream))
    }

    /// Sends a short text in one frame.
    pub(crate) fn send(&mut self, text: &str) {
        let length = u8::try_from(text.len()).unwrap();
        assert!(length < 126, "one byte holds the length");
        // A mask of zeros leaves the text as it is.
        let head = [0x81, 0x80 | length, 0, 0, 0, 0];
        self.0.write_all(&[&head, text.as_bytes()].concat()).unwrap();
    }

    /// The next event, answer, or Close frame; an error when there is none.
    pub(crate) fn receive(&mut self) -> io::Result<Frame> {
        loop {
            let (kind, payload) = self.receive_any()?;
            match kind {
                0x81 => return Ok(Frame::Text(serde_json::from_slice(&payload)?)),
                0x88 => {
                    let (code, reason) = payload.split_first_chunk().expect("a code");
                    let reason = String::from_utf8(reason.to_vec()).unwrap();
                    return Ok(Frame::Close(u16::from_be_bytes(*code), reason));
                }
                // A heartbeat may come at any time.
                0x89 => {}
                _ => panic!("a frame of kind {kind:#x}"),
            }
        }
    }

    fn receive_any(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let [kind, length] = self.take()?;
        let length = match length {
            126 => usize::from(u16::from_be_bytes(self.take()?)),
            127 => usize::try_from(u64::from_be_bytes(self.take()?)).unwrap(),
            _ => usize::from(length),
        };
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload)?;
        Ok((kind, payload))
    }

    /// The next event or answer.
    pub(crate) fn receive_text(&mut self) -> Value {
        match self.receive().unwrap() {
            Frame::Text(text) => text,
            Frame::Close(code, reason) => panic!("closed with {code}: {reason}"),
        }
    }

    /// Whether the server has ended the connection and sent nothing more.
    pub(crate) fn has_ended(&mut self) -> bool {
        match self.0.read(&mut [0]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
