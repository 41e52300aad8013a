//! A WebSocket client that can send any bytes, including frames that violate the protocol.

use crate::connection::connect;
use crate::http::HttpResponse;
use serde_json::Value;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

/// Headers that request a WebSocket, with the example key of RFC 6455 section 1.3.
pub const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A WebSocket that builds and parses frames itself, without a library.
pub struct RawSocket(BufReader<TcpStream>);

impl RawSocket {
    #[track_caller]
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let request = format!("GET /ws HTTP/1.1\r\nHost: {address}\r\n{UPGRADE}\r\n");
        Self::open(connect(address), &request).unwrap()
    }

    /// Sends `request`, which contains [`UPGRADE`]. Any response except 101 is an error.
    pub fn open(mut stream: TcpStream, request: &str) -> io::Result<Self> {
        stream.write_all(request.as_bytes())?;
        let mut stream = BufReader::new(stream);
        let response = HttpResponse::read_head(&mut stream)?;
        if response.status != 101 {
            return Err(io::Error::other(response.head));
        }
        assert_eq!(response.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        Ok(Self(stream))
    }

    /// Returns a masked frame with the shortest possible header.
    pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [0x11, 0x22, 0x33, 0x44];
        let mut frame = vec![first];
        match payload.len() {
            short @ 0..=125 => frame.push(0x80 | u8::try_from(short).unwrap()),
            middle @ 126..=0xFFFF => {
                frame.push(0x80 | 0x7E);
                frame.extend(u16::try_from(middle).unwrap().to_be_bytes());
            }
            long => {
                frame.push(0x80 | 0x7F);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        frame.extend(mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    pub fn send_frame(&mut self, first: u8, payload: &[u8]) {
        self.send(&Self::frame(first, payload));
    }

    /// Sends bytes unchanged. An error is ignored, because the server may already have closed.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.tcp().write_all(bytes);
    }

    /// Returns the next frame from the server: its first byte and its payload.
    #[track_caller]
    pub fn read_frame(&mut self) -> (u8, Vec<u8>) {
        self.try_read_frame().unwrap().expect("the connection has ended")
    }

    /// Like [`RawSocket::read_frame`], but returns `None` if the connection has ended between two
    /// frames.
    pub fn try_read_frame(&mut self) -> io::Result<Option<(u8, Vec<u8>)>> {
        if self.0.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let [first, length] = self.read_bytes()?;
        assert!(length < 0x80, "a server must not mask a frame");
        let length = match length {
            126 => u64::from(u16::from_be_bytes(self.read_bytes()?)),
            127 => u64::from_be_bytes(self.read_bytes()?),
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut payload)?;
        Ok(Some((first, payload)))
    }

    fn read_bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Returns the JSON in the next frame, which must be a complete text message.
    #[track_caller]
    pub fn next_json(&mut self) -> Value {
        let (first, payload) = self.read_frame();
        assert_eq!(first, 0x81, "expected a text frame, got {payload:?}");
        serde_json::from_slice(&payload).unwrap()
    }

    /// Asserts that the server closes with this code, and then ends the connection.
    #[track_caller]
    pub fn assert_closed_with(&mut self, code: u16) {
        let (first, payload) = self.read_frame();
        assert_eq!(first, 0x88, "expected a Close frame, got {payload:?}");
        assert_eq!(payload.get(..2), Some(&code.to_be_bytes()[..]), "{payload:?}");
        self.assert_ended();
    }

    /// Asserts that no more bytes arrive, and that the server has ended its side.
    #[track_caller]
    pub fn assert_ended(&mut self) {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => {}
            // The server closed before it read all bytes of this client.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the connection did not end: {error}"),
        }
        assert_eq!(rest, b"", "nothing may follow a Close frame");
    }

    /// Returns the TCP connection. `self` may already have read and buffered some bytes of the
    /// connection.
    pub fn tcp(&self) -> &TcpStream {
        self.0.get_ref()
    }

    /// Ends this client's half without a Close frame.
    pub fn half_close(&self) {
        self.tcp().shutdown(Shutdown::Write).unwrap();
    }

    /// Discards up to `bytes` further bytes, and closes the connection, possibly within a frame.
    pub fn tear(mut self, bytes: usize) -> io::Result<()> {
        let there = self.0.fill_buf()?.len();
        self.0.consume(there.min(bytes));
        Ok(())
    }
}
