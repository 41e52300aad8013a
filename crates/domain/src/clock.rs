//! Timestamps, and the clock that returns them.

use time::OffsetDateTime;

/// A time in UTC, with a resolution of one microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp {
    unix_micros: i64,
}

impl Timestamp {
    /// Creates a timestamp from the number of microseconds since 1970-01-01T00:00:00Z.
    pub const fn from_unix_micros(unix_micros: i64) -> Self {
        Self { unix_micros }
    }

    /// Returns the number of microseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_micros(self) -> i64 {
        self.unix_micros
    }

    /// Returns the date and time. A time outside the years -9999 to 9999 is returned as 1970-01-01;
    /// no clock returns such a time.
    pub fn to_utc(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.unix_micros) * 1_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl From<OffsetDateTime> for Timestamp {
    /// Rounds down to a microsecond.
    fn from(moment: OffsetDateTime) -> Self {
        let micros = moment.unix_timestamp_nanos().div_euclid(1_000);
        Self { unix_micros: i64::try_from(micros).unwrap_or(i64::MAX) }
    }
}

/// Source of the current time. Tests use their own clock to control the time.
pub trait Clock: Send + Sync {
    /// Returns the current time. The clock may be set backward or forward between two calls.
    fn now(&self) -> Timestamp;

    /// Returns the time of a monotonic clock. Only the difference between two returned times has a
    /// meaning. The default implementation returns `now`, which is correct for a clock that is
    /// never set.
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
