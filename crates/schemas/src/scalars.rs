//! Small values in their wire form.

use northgate_domain::Timestamp;
use serde::{Serialize, Serializer};
use std::fmt;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// A moment as RFC 3339 in UTC, always with six digits of a second and a `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimestampText(pub Timestamp);

impl fmt::Display for TimestampText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let utc = self.0.to_utc();
        let (year, month, day) = (utc.year(), u8::from(utc.month()), utc.day());
        let (hour, minute, second, micros) = utc.to_hms_micro();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

impl Serialize for TimestampText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why a text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a moment such as 2025-07-24T14:23:00Z")]
pub(crate) struct MomentError;

/// Reads a moment as RFC 3339 has it, in any zone: one that can be written in UTC again.
pub(crate) fn parse_moment(text: &str) -> Result<Timestamp, MomentError> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| MomentError)?;
    let utc = moment.checked_to_offset(UtcOffset::UTC).ok_or(MomentError)?;
    if utc.year() < 0 { Err(MomentError) } else { Ok(utc.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_always_have_six_digits_and_a_z() {
        let text = |micros| TimestampText(Timestamp::from_unix_micros(micros)).to_string();
        assert_eq!(text(1_753_366_980_000_000), "2025-07-24T14:23:00.000000Z");
        assert_eq!(text(1_753_366_980_000_042), "2025-07-24T14:23:00.000042Z");
        assert_eq!(text(-1), "1969-12-31T23:59:59.999999Z");
    }

    #[test]
    fn a_moment_can_be_written_as_it_was_read() {
        for text in ["0000-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"] {
            assert_eq!(TimestampText(parse_moment(text).unwrap()).to_string(), text);
        }
        for text in
            ["0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "10000-01-01T00:00:00Z"]
        {
            assert_eq!(parse_moment(text), Err(MomentError), "{text}");
        }
    }
}
