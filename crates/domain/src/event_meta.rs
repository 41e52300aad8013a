//! The id and the time that a store gives every event at the moment it is decided.

use crate::{Clock, Timestamp};
use std::sync::Arc;
use uuid::Uuid;

/// The id and the time of one decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventMeta {
    /// The id of the alert or message that the decision creates; UUID v4 in production.
    pub id: Uuid,
    /// The moment of the decision. Within one log it never lies before that of an earlier one.
    pub at: Timestamp,
    /// The moment by the clock, which may have been set back.
    pub clock: Timestamp,
}

impl EventMeta {
    /// A decision at a moment of the clock.
    pub const fn new(id: Uuid, at: Timestamp) -> Self {
        Self { id, at, clock: at }
    }

    /// The same decision in a log whose newest event is of the moment `newest`.
    #[must_use]
    pub fn not_before(self, newest: Timestamp) -> Self {
        Self { at: self.at.max(newest), ..self }
    }
}

/// A source of ids. Tests give one of their own.
pub trait IdSource: Send + Sync {
    /// The next id. Ids never repeat.
    fn next_id(&self) -> Uuid;
}

/// The clock and the ids by which a store decides. Clones share both.
#[derive(Clone)]
pub struct MetaSource {
    /// Gives the moments.
    pub clock: Arc<dyn Clock>,
    /// Gives the ids.
    pub ids: Arc<dyn IdSource>,
}

impl MetaSource {
    /// Decides by `clock` and `ids`.
    pub fn new(clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        Self { clock, ids }
    }

    /// The id and the time of the next decision.
    pub fn next(&self) -> EventMeta {
        EventMeta::new(self.ids.next_id(), self.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_moves_to_the_newest_event_and_never_back() {
        let at = Timestamp::from_unix_micros;
        let meta = EventMeta::new(Uuid::nil(), at(7));
        assert_eq!(meta.not_before(at(5)), meta);
        let later = meta.not_before(at(9));
        assert_eq!((later.at, later.clock), (at(9), at(7)));
    }
}
