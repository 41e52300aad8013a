//! A WebSocket client from a library that is independent of the server's code.

use crate::connection::try_connect;
use serde_json::Value;
use std::io;
use std::net::{SocketAddr, TcpStream};
use tungstenite::protocol::CloseFrame;
use tungstenite::{Message, Result};

/// An open WebSocket. The library answers pings while the test reads.
pub struct WebSocket(tungstenite::WebSocket<TcpStream>);

impl WebSocket {
    pub(crate) fn connect(address: SocketAddr, path: &str) -> io::Result<Self> {
        let stream = try_connect(address)?;
        let opened = tungstenite::client(format!("ws://{address}{path}"), stream);
        let (socket, response) = opened.map_err(|error| io::Error::other(error.to_string()))?;
        assert_eq!(response.status(), 101);
        Ok(Self(socket))
    }

    pub fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    pub fn send_binary(&mut self, bytes: &[u8]) {
        self.0.send(Message::binary(bytes.to_vec())).unwrap();
    }

    /// Returns the next message that is not a pong.
    pub fn try_next(&mut self) -> Result<Message> {
        loop {
            match self.0.read()? {
                Message::Pong(_) => {}
                message => return Ok(message),
            }
        }
    }

    /// Returns the next text message and skips pongs. Any other message fails the test.
    #[track_caller]
    pub fn next_text(&mut self) -> String {
        match self.try_next().unwrap() {
            Message::Text(text) => text.to_string(),
            other => panic!("expected a text frame, got {other:?}"),
        }
    }

    #[track_caller]
    pub fn next_json(&mut self) -> Value {
        serde_json::from_str(&self.next_text()).unwrap()
    }

    /// Asserts that the server has sent nothing: the answer to a ping is the next message.
    #[track_caller]
    pub fn assert_nothing_came(&mut self) {
        self.0.send(Message::Ping("is there anything?".into())).unwrap();
        match self.0.read().unwrap() {
            Message::Pong(payload) => assert_eq!(payload, "is there anything?"),
            other => panic!("expected only a pong, got {other:?}"),
        }
    }

    /// Reads until the server closes. Returns the text messages before that, and the Close frame.
    #[track_caller]
    pub fn read_to_close(&mut self) -> (Vec<String>, Option<CloseFrame>) {
        let mut texts = Vec::new();
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => texts.push(text.to_string()),
                Ok(Message::Close(frame)) => return (texts, frame),
                Ok(_) => {}
                Err(error) => panic!("{error} after {} texts", texts.len()),
            }
        }
    }
}
