//! Those who raise alerts, over HTTP and one connection, and those who talk over a socket.

use crate::dashboard::{Dashboard, StreamItem, member, offset};
use crate::drain::farewell;
use crate::recording_client::{Reader, RecordingClient};
use fastrand::Rng;
use northgate_testkit::{HttpResponse, RawSocket, connect};
use serde_json::{Value, json};
use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

/// The message that ends every scenario's stream.
pub const LAST_WORD: &str = "this is the end";

/// As much as a message takes besides its number.
pub const LONGEST: usize = 4_000;

/// An event that a response acknowledged, word for word.
pub struct AcceptedEvent {
    pub offset: u64,
    pub json: String,
}

impl AcceptedEvent {
    pub fn of(response: &HttpResponse) -> Self {
        let position = response.json()["position"].clone();
        Self { offset: offset(position.as_str().unwrap()), json: response.text().to_owned() }
    }
}

/// Raises alerts on a connection of its own, one after the other.
pub struct Publisher {
    link: BufReader<TcpStream>,
    name: String,
    count: usize,
}

impl Publisher {
    pub fn new(address: SocketAddr, name: String) -> Self {
        Self { link: BufReader::new(connect(address)), name, count: 0 }
    }

    /// Raises an alert whose message is this publisher's next number and some text behind it.
    pub fn raise(&mut self, padding: &str) -> AcceptedEvent {
        let response = self.try_raise(padding).expect("the server ended the connection");
        assert_eq!(response.status, 200, "{response:?}");
        AcceptedEvent::of(&response)
    }

    /// The same for a server that may be stopping: its response.
    pub fn try_raise(&mut self, padding: &str) -> io::Result<HttpResponse> {
        let message = format!("{} {padding}", self.count);
        let body = json!({ "location": self.name, "message": message.trim_end() });
        self.count += 1;
        self.post("/alerts", &body)
    }

    /// So many alerts with texts of every kind.
    pub fn raise_many(&mut self, count: usize, rng: &mut Rng) -> Vec<AcceptedEvent> {
        (0..count).map(|_| self.raise(&padding(rng))).collect()
    }

    fn post(&mut self, path: &str, body: &Value) -> io::Result<HttpResponse> {
        let body = body.to_string();
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        self.link.get_mut().write_all(request.as_bytes())?;
        HttpResponse::read(&mut self.link)
    }
}

/// Ends the streams of everybody: those who want alerts, chat, or both. On a connection of its own:
/// one that has sent nothing for long is closed.
pub fn end(address: SocketAddr) {
    let mut publisher = Publisher::new(address, "the last".to_owned());
    let alert = json!({ "location": "here", "message": LAST_WORD });
    let chat = json!({ "sender": "somebody", "message": LAST_WORD });
    for (path, body) in [("/alerts", alert), ("/message", chat)] {
        assert_eq!(publisher.post(path, &body).unwrap().status, 200);
    }
}

/// Talks on a socket, and reads what comes on it.
pub struct Talker {
    dashboard: Dashboard,
    name: String,
    count: usize,
    pub follower: RecordingClient,
}

impl Talker {
    /// A talker that has got everything so far, over a WebSocket.
    pub fn new((follower, dashboard): Reader, name: String) -> Self {
        Self { dashboard, name, count: 0, follower }
    }

    /// Says so much in bursts, each of which it waits for to come back.
    pub fn talk(&mut self, count: usize, longest_burst: usize, rng: &mut Rng) {
        let end = self.count + count;
        while self.count < end {
            let burst = rng.usize(1..=longest_burst).min(end - self.count);
            let frames: Vec<_> = (0..burst).flat_map(|_| self.frame(rng)).collect();
            self.dashboard.send(&frames);
            let last = format!("{} ", self.count - 1);
            let is_last =
                |json: &str| member(json, "message").is_some_and(|it| it.starts_with(&last));
            loop {
                self.follower.read(&mut self.dashboard);
                let json = &self.dashboard.json;
                if self.is_own(json) && is_last(json) {
                    break;
                }
            }
        }
    }

    fn frame(&mut self, rng: &mut Rng) -> Vec<u8> {
        let message = format!("{} {}.", self.count, padding(rng));
        self.count += 1;
        let chat = json!({ "sender": self.name, "message": message }).to_string();
        RawSocket::frame(0x81, chat.as_bytes())
    }

    /// Talks until the server ends the stream; each message comes back, or a complaint about it.
    /// Gives what `farewell` gives.
    pub fn talk_to_the_end(mut self, rng: &mut Rng) -> (RecordingClient, Option<u64>) {
        let mut due = 0;
        loop {
            if due == 0 {
                due = rng.usize(1..4);
                let frames: Vec<_> = (0..due).flat_map(|_| self.frame(rng)).collect();
                self.dashboard.send(&frames);
            }
            match self.follower.take(&mut self.dashboard) {
                Ok(StreamItem::ErrorMessage) => due -= 1,
                Ok(StreamItem::Event(_)) => due -= usize::from(self.is_own(&self.dashboard.json)),
                Ok(StreamItem::Live(_)) => {}
                last => {
                    let farewell = farewell(last, &mut self.dashboard);
                    return (self.follower, farewell);
                }
            }
        }
    }

    fn is_own(&self, json: &str) -> bool {
        member(json, "sender") == Some(self.name.as_str())
    }

    /// Reads on to the end.
    pub fn listen(mut self) -> RecordingClient {
        self.follower.read_to_end(&mut self.dashboard);
        self.follower
    }
}

/// Text of every kind: mostly short, sometimes as long as is taken.
pub fn padding(rng: &mut Rng) -> String {
    const PIECES: [&str; 10] =
        ["a", "gate ", "\"", "\\", "\n", "\u{2028}", "é", "火", "🚨", r#""position":"x-1""#];
    let most = match rng.u32(0..100) {
        0 => 250,
        1..10 => 40,
        _ => 6,
    };
    let mut text: String = (0..rng.usize(0..most)).filter_map(|_| rng.choice(PIECES)).collect();
    text.push('.');
    text
}
