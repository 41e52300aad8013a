//! A WebSocket client that may break every rule, frame by frame.

use crate::http;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

pub struct RawSocket(pub TcpStream);

impl RawSocket {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let mut stream = http::connect(address);
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let answer = http::read_answer(&mut stream, true);
        assert_eq!(answer.status, 101);
        // The example of RFC 6455 section 1.3.
        assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        Self(stream)
    }

    /// A masked frame with the shortest header that fits.
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

    /// Sends bytes as they are. A server that has had enough may have closed already.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// The next frame from the server: its first byte and its payload.
    pub fn read_frame(&mut self) -> (u8, Vec<u8>) {
        let mut header = [0; 2];
        self.0.read_exact(&mut header).unwrap();
        let length = match header[1] {
            126 => {
                let mut length = [0; 2];
                self.0.read_exact(&mut length).unwrap();
                u64::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                self.0.read_exact(&mut length).unwrap();
                u64::from_be_bytes(length)
            }
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut payload).unwrap();
        (header[0], payload)
    }

    /// Asserts that the server closes with this code, and then ends the connection.
    pub fn assert_closed_with(&mut self, code: u16) {
        let (first, payload) = self.read_frame();
        assert_eq!(first, 0x88, "expected a Close frame, got {payload:?}");
        assert_eq!(payload.get(..2), Some(&code.to_be_bytes()[..]), "{payload:?}");
        self.assert_ended();
    }

    /// Asserts that nothing more comes, and that the server's side has ended.
    pub fn assert_ended(&mut self) {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => {}
            // The server left some of our bytes unread.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the connection did not end: {error}"),
        }
        assert_eq!(rest, b"", "nothing may follow a Close frame");
    }

    /// Ends this client's half without a word.
    pub fn half_close(&mut self) {
        self.0.shutdown(Shutdown::Write).unwrap();
    }
}
