//! The current state of an alert: what happened, where, and what operators did about the alert.

use crate::{
    DedupKey, HttpUrl, Labels, Location, MessageText, Notes, SearchText, Severity, Source, Status,
    StatusKind, Timestamp,
};
use uuid::Uuid;

/// Unique id of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AlertId(pub Uuid);

/// Number of events of an alert, including the first raise. A state of an alert with a higher
/// revision is newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Revision(u64);

impl Revision {
    /// Revision of an alert that was just raised.
    pub const FIRST: Self = Self(1);

    /// Restores a revision from its stored number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number of events of the alert up to this revision.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the revision after one more event.
    pub(crate) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// One alert in its current state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Unique id, assigned by the store.
    pub id: AlertId,
    /// Increases by one with each event of this alert.
    pub revision: Revision,
    /// Description of what happened.
    pub message: MessageText,
    /// Location of what happened.
    pub location: Location,
    /// System that raised the alert, if the raise stated a source.
    pub source: Option<Source>,
    /// Worst severity of the first raise and all repeats.
    pub severity: Severity,
    /// Searchable name/value pairs.
    pub labels: Labels,
    /// Address of a page with more information.
    pub url: Option<HttpUrl>,
    /// Key that marks later raises as repeats of this alert. An alert without a key has no repeats.
    pub dedup_key: Option<DedupKey>,
    /// Time at which the alert is resolved automatically; `None` if the alert does not expire.
    pub expires_at: Option<Timestamp>,
    /// Time of the first raise.
    pub raised_at: Timestamp,
    /// Time of the last raise.
    pub last_seen: Timestamp,
    /// Time of the newest event of the alert.
    pub updated_at: Timestamp,
    /// Number of raises, including the first.
    pub count: u64,
    /// Open, acknowledged or resolved, with the operators who acknowledged and resolved the alert.
    pub status: Status,
    /// Newest notes of operators, at most [`Notes::MAX`].
    pub notes: Notes,
}

impl Alert {
    /// Returns the words of the message and the location, which a search compares.
    pub fn search_text(&self) -> SearchText {
        SearchText::of([self.message.as_str(), self.location.as_str()])
    }

    /// Returns whether the alert is resolved.
    pub fn is_resolved(&self) -> bool {
        self.status.kind() == StatusKind::Resolved
    }

    /// Returns the deduplication key, or `None` if the alert has no key or is resolved. Only an
    /// unresolved alert can have repeats.
    pub fn open_key(&self) -> Option<&DedupKey> {
        self.dedup_key.as_ref().filter(|_| !self.is_resolved())
    }
}
