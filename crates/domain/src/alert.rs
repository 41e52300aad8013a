//! An alert: something that happened somewhere, as it stands now.

use crate::{Location, MessageText, SearchText, Source, Timestamp};
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
    /// When it was raised.
    pub raised_at: Timestamp,
}

impl Alert {
    /// What a search looks through: the message and the location.
    pub fn search_text(&self) -> SearchText {
        SearchText::of([self.message.as_str(), self.location.as_str()])
    }
}
