//! A dashboard: a WebSocket client by other people.

use crate::http;
use serde_json::Value;
use std::net::{SocketAddr, TcpStream};
use tungstenite::protocol::CloseFrame;
use tungstenite::{Message, WebSocket};

pub struct Socket(WebSocket<TcpStream>);

impl Socket {
    pub(crate) fn connect(address: SocketAddr, path: &str) -> Self {
        let stream = http::connect(address);
        let (socket, response) =
            tungstenite::client(format!("ws://{address}{path}"), stream).unwrap();
        assert_eq!(response.status(), 101);
        Self(socket)
    }

    pub fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    pub fn send_binary(&mut self, bytes: &[u8]) {
        self.0.send(Message::binary(bytes.to_vec())).unwrap();
    }

    /// The next text frame; pongs are skipped, and anything else is a failure.
    pub fn next_text(&mut self) -> String {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return text.to_string(),
                Message::Pong(_) => {}
                other => panic!("expected a text frame, got {other:?}"),
            }
        }
    }

    pub fn next_json(&mut self) -> Value {
        serde_json::from_str(&self.next_text()).unwrap()
    }

    /// Asserts that the server has sent nothing but the answer to this ping.
    pub fn assert_nothing_came(&mut self) {
        self.0.send(Message::Ping("is there anything?".into())).unwrap();
        match self.0.read().unwrap() {
            Message::Pong(payload) => assert_eq!(payload, "is there anything?"),
            other => panic!("something came: {other:?}"),
        }
    }

    /// Reads until the server closes: the texts before it, and the Close frame.
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
