//! What was said and what was heard: every reader's account is held against the log, and the log
//! against what was answered.

use crate::client::{self, Dashboard, Said, Transport, member};
use crate::publisher::{Answered, LAST_WORD};
use northgate_tests::{PATIENCE, connect};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
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

    fn admits(self, json: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Alerts => member(json, "type") == Some("alert"),
            Self::Chat => member(json, "type") == Some("chat"),
        }
    }

    /// Whether this is the last event that such a reader gets: an alert and a chat message end
    /// every stream.
    fn ends_with(self, json: &str) -> bool {
        json.contains(LAST_WORD) && (self != Self::Everything || Self::Chat.admits(json))
    }
}

/// The account of one reader, over all its connections.
pub struct Follower {
    wants: Wants,
    /// The offset after which it began.
    from: u64,
    /// The offset of the last event, or of the last word about the stream.
    at: u64,
    /// The position of the same, to come back with.
    position: String,
    /// Every event: its offset, and a digest of its JSON.
    seen: Vec<(u64, u64)>,
    /// Every event, word for word, if this reader is to be believed.
    texts: Option<Vec<String>>,
    ended: bool,
    /// When the last event came, or the reader.
    heard: Instant,
}

/// A reader, and the connection on which it reads.
pub type Reader = (Follower, Dashboard);

/// One that comes before the first event.
pub fn joined(address: SocketAddr, transport: Transport) -> Reader {
    let mut follower = Follower::new(Wants::Everything);
    let dashboard = follower.join(address, transport);
    (follower, dashboard)
}

/// One that has seen everything up to a position, and comes back from there.
pub fn resumed(position: &str, tcp: TcpStream, transport: Transport, wants: Wants) -> Reader {
    let mut follower = Follower::after(position, wants);
    let dashboard = follower.resume_on(tcp, transport);
    (follower, dashboard)
}

impl Follower {
    /// A reader that was there before the first event.
    pub fn new(wants: Wants) -> Self {
        Self {
            wants,
            from: 0,
            at: 0,
            position: String::new(),
            seen: Vec::new(),
            texts: None,
            ended: false,
            heard: Instant::now(),
        }
    }

    /// A reader that was there before the first event, and by whose account others are judged.
    pub fn witness() -> Self {
        Self { texts: Some(Vec::new()), ..Self::new(Wants::Everything) }
    }

    /// A reader that has seen everything up to a position.
    pub fn after(position: &str, wants: Wants) -> Self {
        let from = client::offset(position);
        Self { from, at: from, position: position.to_owned(), ..Self::new(wants) }
    }

    /// Connects for what happens from now on.
    pub fn join(&mut self, address: SocketAddr, transport: Transport) -> Dashboard {
        let mut dashboard =
            Dashboard::connect(address, transport, self.wants.query(), None).unwrap();
        if transport == Transport::ServerSent {
            assert!(matches!(dashboard.next().unwrap(), Said::Retry(_)));
            let said = self.take(&mut dashboard).unwrap();
            assert!(matches!(said, Said::Live(_) | Said::Resumed { .. }), "{said:?}");
        }
        dashboard
    }

    /// Comes back to where it was.
    pub fn resume(&mut self, address: SocketAddr, transport: Transport) -> Dashboard {
        self.resume_on(connect(address), transport)
    }

    /// The same on a connection that the client has made its own way.
    pub fn resume_on(&mut self, tcp: TcpStream, transport: Transport) -> Dashboard {
        self.heard = Instant::now();
        let (query, after) = (self.wants.query(), Some(self.position.as_str()));
        let mut dashboard = Dashboard::on(tcp, transport, query, after).unwrap();
        if transport == Transport::ServerSent {
            assert!(matches!(dashboard.next().unwrap(), Said::Retry(_)));
        }
        let resumed = Said::Resumed { complete: true, offset: self.at };
        assert_eq!(self.take(&mut dashboard).unwrap(), resumed);
        dashboard
    }

    /// Takes down what comes next.
    pub fn take(&mut self, dashboard: &mut Dashboard) -> io::Result<Said> {
        let said = dashboard.next()?;
        match said {
            Said::Event(offset) => self.note(offset, &dashboard.json),
            Said::Live(offset) | Said::Resumed { complete: true, offset } => {
                // Such words come for ever, whatever else is the matter.
                assert!(self.heard.elapsed() < 2 * PATIENCE, "{said:?}, and no event");
                match self.wants {
                    Wants::Everything => assert_eq!(offset, self.at, "{said:?}"),
                    _ => assert!(offset >= self.at, "{said:?} at {}", self.at),
                }
                self.at = offset;
            }
            Said::Complaint | Said::Retry(_) | Said::Close { .. } | Said::End => return Ok(said),
            Said::Resumed { .. } => panic!("{said:?} at {}", self.at),
        }
        self.position.clone_from(&dashboard.position);
        Ok(said)
    }

    fn note(&mut self, offset: u64, json: &str) {
        match self.wants {
            Wants::Everything => assert_eq!(offset, self.at + 1, "a gap or a repeat"),
            _ => assert!(offset > self.at, "{offset} after {}", self.at),
        }
        assert!(self.wants.admits(json), "nobody asked for {json}");
        self.at = offset;
        self.heard = Instant::now();
        self.seen.push((offset, digest(json)));
        if let Some(texts) = &mut self.texts {
            texts.push(json.to_owned());
        }
        self.ended = self.wants.ends_with(json);
    }

    /// A position of the same log, which no client could know by itself.
    pub fn position_of(&self, offset: u64) -> String {
        let (epoch, _) = self.position.split_once('-').unwrap();
        format!("{epoch}-{offset}")
    }

    /// Reads on a connection that must not end.
    pub fn read(&mut self, dashboard: &mut Dashboard) -> Said {
        let transport = dashboard.transport();
        match self.take(dashboard) {
            Ok(said @ (Said::Event(_) | Said::Live(_))) => said,
            other => panic!("{other:?} over {transport:?} after event {}", self.at),
        }
    }

    /// Reads up to the next event, and gives its offset.
    pub fn read_event(&mut self, dashboard: &mut Dashboard) -> u64 {
        loop {
            if let Said::Event(offset) = self.read(dashboard) {
                return offset;
            }
        }
    }

    /// Reads up to the last word of the scenario.
    pub fn read_to_end(&mut self, dashboard: &mut Dashboard) {
        while !self.ended {
            self.read(dashboard);
        }
    }

    /// Whether the last word was heard.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The offset of what was said last.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The log by this reader's account.
    pub fn into_log(self) -> Log {
        Log { texts: self.texts.expect("only a witness knows the words") }
    }
}

/// Everything that happened, in order.
pub struct Log {
    texts: Vec<String>,
}

impl Log {
    /// How many events there are: their offsets begin with 1 and are contiguous.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    fn text(&self, offset: u64) -> Option<&str> {
        self.texts.get(usize::try_from(offset).ok()?.checked_sub(1)?).map(String::as_str)
    }

    /// Every answered alert is here once, word for word.
    pub fn assert_holds(&self, answered: &[Answered]) {
        let mut offsets = HashSet::new();
        for Answered { offset, json } in answered {
            assert_eq!(self.text(*offset), Some(json.as_str()));
            assert!(offsets.insert(*offset), "two were answered with {offset}");
        }
    }

    /// Nothing is here that nobody was answered for, but for the last word.
    pub fn assert_holds_no_other_alerts(&self, answered: &[Answered]) {
        let alerts = self.texts.iter().filter(|json| Wants::Alerts.admits(json));
        assert_eq!(alerts.count(), answered.len() + 1);
    }

    /// What one of them said comes in the order in which it was said, and without a gap.
    pub fn assert_keeps_the_order_of_each(&self) {
        let mut next: HashMap<String, usize> = HashMap::new();
        for text in &self.texts {
            let json: Value = serde_json::from_str(text).unwrap();
            let name = json.get("sender").unwrap_or(&json["location"]).as_str().unwrap();
            let message = json["message"].as_str().unwrap();
            let number = message.split(' ').next().and_then(|number| number.parse::<usize>().ok());
            let Some(number) = number else {
                assert_eq!(message, LAST_WORD);
                continue;
            };
            let expected = next.entry(name.to_owned()).or_default();
            assert_eq!(*expected, number, "of {name}");
            *expected = number + 1;
        }
    }

    /// A reader saw all that it asked for, once and in order: no gap, no repeat, no other word.
    pub fn assert_seen_by(&self, follower: &Follower) {
        self.assert_seen_until(follower, u64::MAX);
    }

    /// The same up to an offset.
    pub fn assert_seen_until(&self, follower: &Follower, last: u64) {
        let numbered = (1_u64..).zip(&self.texts);
        let due = numbered
            .filter(|(offset, json)| {
                *offset > follower.from && *offset <= last && follower.wants.admits(json)
            })
            .map(|(offset, json)| (offset, digest(json)));
        let wants = follower.wants;
        let mut seen = follower.seen.iter().copied();
        for due in due {
            assert_eq!(seen.next(), Some(due), "of {} events, {wants:?}", self.len());
        }
        assert_eq!(seen.next(), None, "of {} events, {wants:?}", self.len());
    }
}

fn digest(json: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    json.hash(&mut hasher);
    hasher.finish()
}
