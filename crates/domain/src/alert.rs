//! An alert: something that happened somewhere, as it stands now.

use crate::{
    DedupKey, HttpUrl, Labels, Location, MessageText, Notes, SearchText, Severity, Source, Status,
    StatusKind, Timestamp,
};
use uuid::Uuid;

/// The identity of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AlertId(pub Uuid);

/// How many events an alert has seen, its raising included: of two states of one alert, the one
/// with the higher revision is newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Revision(u64);

impl Revision {
    /// The revision of an alert that was just raised.
    pub const FIRST: Self = Self(1);

    /// A revision by its number, as a store keeps it.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number of events so far.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The one after the next event.
    pub(crate) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// One alert in its present state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its identity, drawn by the store.
    pub id: AlertId,
    /// Rises with each event of this alert.
    pub revision: Revision,
    /// What happened.
    pub message: MessageText,
    /// Where it happened.
    pub location: Location,
    /// Which system said so, if it gave a name.
    pub source: Option<Source>,
    /// How bad it is: the worst that was said.
    pub severity: Severity,
    /// By what else it can be found.
    pub labels: Labels,
    /// Where more is to be read.
    pub url: Option<HttpUrl>,
    /// What its repeats say, if it may have any.
    pub dedup_key: Option<DedupKey>,
    /// When it resolves by itself, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was raised: when it was first seen.
    pub raised_at: Timestamp,
    /// When it was raised for the last time.
    pub last_seen: Timestamp,
    /// When its newest event was kept.
    pub updated_at: Timestamp,
    /// How often it was raised.
    pub count: u64,
    /// Whether it was taken on, and whether it is over.
    pub status: Status,
    /// What operators noted.
    pub notes: Notes,
}

impl Alert {
    /// What a search looks through: the message and the location.
    pub fn search_text(&self) -> SearchText {
        SearchText::of([self.message.as_str(), self.location.as_str()])
    }

    /// Whether it is over.
    pub fn is_resolved(&self) -> bool {
        self.status.kind() == StatusKind::Resolved
    }

    /// The key by which it takes in repeats, as long as it is not over.
    pub fn open_key(&self) -> Option<&DedupKey> {
        self.dedup_key.as_ref().filter(|_| !self.is_resolved())
    }
}
