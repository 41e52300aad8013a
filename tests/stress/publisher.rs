//! Senders: publishers raise alerts over one HTTP connection, and talkers send chat over a socket.

use crate::dashboard::{Dashboard, StreamItem, member, offset};
use crate::drain::farewell;
use crate::recording_client::{Reader, RecordingClient};
use fastrand::Rng;
use northgate_testkit::{HttpResponse, RawSocket, connect};
use serde_json::{Value, json};
use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

/// The message of the last alert and of the last chat message of every scenario.
pub const LAST_WORD: &str = "this is the end";

/// Longest padding that follows the number in a message, in characters.
pub const LONGEST: usize = 4_000;

/// An event as the server's answer contained it.
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

/// Raises alerts one after the other on its own connection.
pub struct Publisher {
    link: BufReader<TcpStream>,
    name: String,
    count: usize,
}

impl Publisher {
    pub fn new(address: SocketAddr, name: String) -> Self {
        Self { link: BufReader::new(connect(address)), name, count: 0 }
    }

    /// Raises an alert. Its message is this publisher's next number and then `padding`.
    pub fn raise(&mut self, padding: &str) -> AcceptedEvent {
        let response = self.try_raise(padding).expect("the server closed the connection");
        assert_eq!(response.status, 200, "{response:?}");
        AcceptedEvent::of(&response)
    }

    /// Like `raise`, but returns any response or error, for a server that may be stopping.
    pub fn try_raise(&mut self, padding: &str) -> io::Result<HttpResponse> {
        let message = format!("{} {padding}", self.count);
        let body = json!({ "location": self.name, "message": message.trim_end() });
        self.count += 1;
        self.post("/alerts", &body)
    }

    /// Raises `count` alerts with random padding.
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

/// Sends the last alert and the last chat message, after which all readers stop reading. Uses a new
/// connection, since the server may have closed an idle one.
pub fn end(address: SocketAddr) {
    let mut publisher = Publisher::new(address, "the last".to_owned());
    let alert = json!({ "location": "here", "message": LAST_WORD });
    let chat = json!({ "sender": "somebody", "message": LAST_WORD });
    for (path, body) in [("/alerts", alert), ("/message", chat)] {
        assert_eq!(publisher.post(path, &body).unwrap().status, 200);
    }
}

/// Sends chat on a socket and records the events that arrive on it.
pub struct Talker {
    dashboard: Dashboard,
    name: String,
    count: usize,
    pub follower: RecordingClient,
}

impl Talker {
    /// A talker on the WebSocket of a reader that has received every event so far.
    pub fn new((follower, dashboard): Reader, name: String) -> Self {
        Self { dashboard, name, count: 0, follower }
    }

    /// Sends `count` messages in bursts, and waits after each burst until the last message of the
    /// burst arrives.
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

    /// Sends chat until the server ends the stream. Each message arrives as an event or is answered
    /// with an error. Returns the result of [`farewell`].
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

    /// Reads up to the scenario's last event.
    pub fn listen(mut self) -> RecordingClient {
        self.follower.read_to_end(&mut self.dashboard);
        self.follower
    }
}

/// Random text with special characters: mostly short, in 1 % of cases up to about 4,000 characters
/// (a message may have 4,096).
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
