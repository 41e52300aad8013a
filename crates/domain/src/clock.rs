//! Moments, and the clock that gives them.

use time::OffsetDateTime;

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

/// A source of the present moment. Tests own time by giving a clock of their own.
pub trait Clock: Send + Sync {
    /// The present moment. The clock may be set back or forth.
    fn now(&self) -> Timestamp;

    /// The time of a clock that nobody can set: only the distance between two of its moments has a
    /// meaning. A clock that is never set is its own steady clock.
    fn steady(&self) -> Timestamp {
        self.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_round_down_to_microseconds() {
        let moment = OffsetDateTime::from_unix_timestamp_nanos(1_999).unwrap();
        assert_eq!(Timestamp::from(moment).unix_micros(), 1);
        let before = OffsetDateTime::from_unix_timestamp_nanos(-1).unwrap();
        assert_eq!(Timestamp::from(before).unix_micros(), -1);
    }
}
