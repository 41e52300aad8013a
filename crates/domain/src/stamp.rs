//! What a store gives every event at the moment it is decided: an id and a time.

use time::OffsetDateTime;
use uuid::Uuid;

/// A moment in UTC, to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp {
    unix_micros: i64,
}

impl Timestamp {
    /// A moment by its distance from 1970-01-01T00:00:00Z in microseconds.
    pub const fn from_unix_micros(unix_micros: i64) -> Self {
        Self { unix_micros }
    }

    /// The distance from 1970-01-01T00:00:00Z in microseconds.
    pub const fn unix_micros(self) -> i64 {
        self.unix_micros
    }

    /// The moment as date and time. Years beyond 9999 are shown as the epoch: no clock gives them.
    pub fn to_utc(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.unix_micros) * 1_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl From<OffsetDateTime> for Timestamp {
    /// Drops what is finer than a microsecond.
    fn from(moment: OffsetDateTime) -> Self {
        let micros = moment.unix_timestamp_nanos().div_euclid(1_000);
        Self { unix_micros: i64::try_from(micros).unwrap_or(i64::MAX) }
    }
}

/// The id and the time that one decision gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventMeta {
    /// The id of what the decision creates; UUID v4 in production.
    pub id: Uuid,
    /// The moment of the decision. It never lies before that of an earlier one of the same log.
    pub at: Timestamp,
    /// What the clock says, which may have been set back.
    pub clock: Timestamp,
}

impl EventMeta {
    /// A stamp of the moment that the clock says.
    pub const fn new(id: Uuid, at: Timestamp) -> Self {
        Self { id, at, clock: at }
    }

    /// The same for a log whose newest event is of the moment `newest`.
    #[must_use]
    pub fn not_before(self, newest: Timestamp) -> Self {
        Self { at: self.at.max(newest), ..self }
    }
}

/// Where stamps come from. Tests own time and ids by giving a source of their own.
pub trait Stamps: Send + Sync {
    /// The stamp of the next decision. Ids never repeat.
    fn stamp(&self) -> EventMeta;

    /// The time of the same clock, where nothing is decided.
    fn now(&self) -> Timestamp;

    /// The time of a clock that nobody can set: only the distance between two of its moments means
    /// anything. A source whose clock is never set has one.
    fn steady(&self) -> Timestamp {
        self.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_moves_to_the_newest_event_and_never_back() {
        let at = Timestamp::from_unix_micros;
        let stamp = EventMeta::new(Uuid::nil(), at(7));
        assert_eq!(stamp.not_before(at(5)), stamp);
        let later = stamp.not_before(at(9));
        assert_eq!((later.at, later.clock), (at(9), at(7)));
    }

    #[test]
    fn timestamps_round_down_to_microseconds() {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(1_999).unwrap();
        assert_eq!(Timestamp::from(moment).unix_micros(), 1);
        let before = OffsetDateTime::from_unix_timestamp_nanos(-1).unwrap();
        assert_eq!(Timestamp::from(before).unix_micros(), -1);
    }
}
