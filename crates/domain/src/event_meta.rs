//! The id and the time that a store assigns to an event when the store decides a command.

use crate::{Clock, Timestamp};
use std::sync::Arc;
use uuid::Uuid;

/// Id and time of one decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventMeta {
    /// Id of the alert or message that the decision creates; UUID v4 in production.
    pub id: Uuid,
    /// Time of the decision. Within one log, this time never decreases from one event to the next.
    pub at: Timestamp,
    /// Time of the clock at the decision. From one event to the next, this time can decrease if the
    /// clock is set back.
    pub clock: Timestamp,
}

impl EventMeta {
    /// Creates the id and the time of a decision. `at` is the time of the clock.
    pub const fn new(id: Uuid, at: Timestamp) -> Self {
        Self { id, at, clock: at }
    }

    /// Returns the same values, but with `at` not earlier than `newest`, which is the time of the
    /// newest event of the log.
    #[must_use]
    pub fn not_before(self, newest: Timestamp) -> Self {
        Self { at: self.at.max(newest), ..self }
    }
}

/// Source of ids. Tests use their own source.
pub trait IdSource: Send + Sync {
    /// Returns the next id. Ids never repeat.
    fn next_id(&self) -> Uuid;
}

/// Clock and id source of a store. Clones share both.
#[derive(Clone)]
pub struct MetaSource {
    /// Source of the time of each decision.
    pub clock: Arc<dyn Clock>,
    /// Source of the id of each decision.
    pub ids: Arc<dyn IdSource>,
}

impl MetaSource {
    /// Combines a clock and an id source.
    pub fn new(clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        Self { clock, ids }
    }

    /// Returns the id and the time of the next decision.
    pub fn next(&self) -> EventMeta {
        EventMeta::new(self.ids.next_id(), self.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_never_earlier_than_the_newest_event() {
        let at = Timestamp::from_unix_micros;
        let meta = EventMeta::new(Uuid::nil(), at(7));
        assert_eq!(meta.not_before(at(5)), meta);
        let later = meta.not_before(at(9));
        assert_eq!((later.at, later.clock), (at(9), at(7)));
    }
}
