//! Readers that record every event that they receive, across all their connections.

use crate::dashboard::{self, Dashboard, StreamItem, Transport, member};
use crate::publisher::LAST_WORD;
use northgate_testkit::{PATIENCE, connect};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

/// Which events a reader asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    Everything,
    Alerts,
    Chat,
}

impl Wants {
    pub const ALL: [Self; 3] = [Self::Everything, Self::Alerts, Self::Chat];

    fn query(self) -> &'static str {
        match self {
            Self::Everything => "",
            Self::Alerts => "types=alert",
            Self::Chat => "types=chat",
        }
    }

    pub fn admits(self, json: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Alerts => member(json, "type") == Some("alert"),
            Self::Chat => member(json, "type") == Some("chat"),
        }
    }

    /// Returns whether this is the last event of a scenario that such a reader receives. A scenario
    /// ends with an alert and then a chat message.
    fn ends_with(self, json: &str) -> bool {
        json.contains(LAST_WORD) && (self != Self::Everything || Self::Chat.admits(json))
    }
}

/// A reader that records the events that it receives, across all its connections.
pub struct RecordingClient {
    pub wants: Wants,
    /// The offset after which the record begins.
    pub from: u64,
    /// The offset of the last event, `resume` or `live` frame.
    at: u64,
    /// The position that belongs to `at`, for resuming.
    position: String,
    /// The offset of every event, and a digest of its JSON.
    pub seen: Vec<(u64, u64)>,
    /// The JSON of every event, if this reader is the recorder with which other readers are
    /// compared.
    texts: Option<Vec<String>>,
    ended: bool,
    /// Time when the last event arrived, or when the reader connected.
    last_event: Instant,
}

/// A reader, and the connection on which it reads.
pub type Reader = (RecordingClient, Dashboard);

/// Connects a reader before the first event.
pub fn joined(address: SocketAddr, transport: Transport) -> Reader {
    let mut reader = RecordingClient::new(Wants::Everything);
    let dashboard = reader.join(address, transport);
    (reader, dashboard)
}

/// Connects a reader that has received all events up to a position and resumes after it.
pub fn resumed(position: &str, tcp: TcpStream, transport: Transport, wants: Wants) -> Reader {
    let mut reader = RecordingClient::after(position, wants);
    let dashboard = reader.resume_on(tcp, transport);
    (reader, dashboard)
}

impl RecordingClient {
    /// A reader that connects before the first event.
    pub fn new(wants: Wants) -> Self {
        Self {
            wants,
            from: 0,
            at: 0,
            position: String::new(),
            seen: Vec::new(),
            texts: None,
            ended: false,
            last_event: Instant::now(),
        }
    }

    /// A reader that connects before the first event and stores the JSON that others are compared
    /// with.
    pub fn recorder() -> Self {
        Self { texts: Some(Vec::new()), ..Self::new(Wants::Everything) }
    }

    /// A reader that has received all events up to a position.
    pub fn after(position: &str, wants: Wants) -> Self {
        let from = dashboard::offset(position);
        Self { from, at: from, position: position.to_owned(), ..Self::new(wants) }
    }

    /// Connects and receives events from now on.
    pub fn join(&mut self, address: SocketAddr, transport: Transport) -> Dashboard {
        let mut dashboard =
            Dashboard::connect(address, transport, self.wants.query(), None).unwrap();
        if transport == Transport::ServerSent {
            assert!(matches!(dashboard.next().unwrap(), StreamItem::Retry(_)));
            let item = self.take(&mut dashboard).unwrap();
            assert!(matches!(item, StreamItem::Live(_) | StreamItem::Resumed { .. }), "{item:?}");
        }
        dashboard
    }

    /// Reconnects and resumes after the last position.
    pub fn resume(&mut self, address: SocketAddr, transport: Transport) -> Dashboard {
        self.resume_on(connect(address), transport)
    }

    /// Like `resume`, on a connection that the caller has opened.
    pub fn resume_on(&mut self, tcp: TcpStream, transport: Transport) -> Dashboard {
        self.last_event = Instant::now();
        let (query, after) = (self.wants.query(), Some(self.position.as_str()));
        let mut dashboard = Dashboard::on(tcp, transport, query, after).unwrap();
        if transport == Transport::ServerSent {
            assert!(matches!(dashboard.next().unwrap(), StreamItem::Retry(_)));
        }
        let resumed = StreamItem::Resumed { complete: true, offset: self.at };
        assert_eq!(self.take(&mut dashboard).unwrap(), resumed);
        dashboard
    }

    /// Reads and records the next item.
    pub fn take(&mut self, dashboard: &mut Dashboard) -> io::Result<StreamItem> {
        let item = dashboard.next()?;
        match item {
            StreamItem::Event(offset) => self.note(offset, &dashboard.json),
            StreamItem::Live(offset) | StreamItem::Resumed { complete: true, offset } => {
                // An idle stream repeats these frames without limit. Without this check, a reader
                // that misses an event would wait forever.
                assert!(
                    self.last_event.elapsed() < 2 * PATIENCE,
                    "{item:?}, but no event within twice the patience of the tests"
                );
                match self.wants {
                    Wants::Everything => assert_eq!(offset, self.at, "{item:?}"),
                    _ => assert!(offset >= self.at, "{item:?} at {}", self.at),
                }
                self.at = offset;
            }
            StreamItem::ErrorMessage
            | StreamItem::Retry(_)
            | StreamItem::Close { .. }
            | StreamItem::End => return Ok(item),
            StreamItem::Resumed { .. } => panic!("{item:?} at {}", self.at),
        }
        self.position.clone_from(&dashboard.position);
        Ok(item)
    }

    fn note(&mut self, offset: u64, json: &str) {
        match self.wants {
            Wants::Everything => assert_eq!(offset, self.at + 1, "an event is missing or repeated"),
            _ => assert!(offset > self.at, "{offset} after {}", self.at),
        }
        assert!(self.wants.admits(json), "this reader did not request {json}");
        self.at = offset;
        self.last_event = Instant::now();
        self.seen.push((offset, digest(json)));
        if let Some(texts) = &mut self.texts {
            texts.push(json.to_owned());
        }
        self.ended = self.wants.ends_with(json);
    }

    /// The position of an offset in the same log. Real clients cannot compute positions, because
    /// positions are opaque.
    pub fn position_of(&self, offset: u64) -> String {
        let (epoch, _) = self.position.split_once('-').unwrap();
        format!("{epoch}-{offset}")
    }

    /// Reads the next item, and fails if the connection ends.
    pub fn read(&mut self, dashboard: &mut Dashboard) -> StreamItem {
        let transport = dashboard.transport();
        match self.take(dashboard) {
            Ok(item @ (StreamItem::Event(_) | StreamItem::Live(_))) => item,
            other => panic!("{other:?} over {transport:?} after event {}", self.at),
        }
    }

    /// Reads up to the next event and returns its offset.
    pub fn read_event(&mut self, dashboard: &mut Dashboard) -> u64 {
        loop {
            if let StreamItem::Event(offset) = self.read(dashboard) {
                return offset;
            }
        }
    }

    /// Reads up to the last event of the scenario.
    pub fn read_to_end(&mut self, dashboard: &mut Dashboard) {
        while !self.ended {
            self.read(dashboard);
        }
    }

    /// Returns whether the last event of the scenario has arrived.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The offset of the last item.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The JSON of every event.
    pub fn into_texts(self) -> Vec<String> {
        self.texts.expect("only a recorder stores the texts")
    }
}

pub fn digest(json: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    json.hash(&mut hasher);
    hasher.finish()
}
