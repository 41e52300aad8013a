//! Small values in their wire form.

use northgate_domain::Timestamp;
use serde::ser::Error;
use serde::{Serialize, Serializer};
use std::fmt;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// A timestamp in UTC as in RFC 3339, always with six decimal digits of the second and a `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimestampText(pub Timestamp);

impl TimestampText {
    /// Returns the text, formatted digit by digit. The general formatter of the `time` crate would
    /// need two fifths of the time to encode an alert, which has at least four timestamps.
    fn ascii(self) -> [u8; 27] {
        let utc = self.0.to_utc();
        let (year, month, day) = (utc.year().unsigned_abs(), u8::from(utc.month()), utc.day());
        let (hour, minute, second, micros) = utc.to_hms_micro();
        let ([c1, c2], [y1, y2]) = (two_digits(year / 100), two_digits(year));
        let ([m1, m2], [d1, d2]) = (two_digits(month.into()), two_digits(day.into()));
        let ([h1, h2], [n1, n2]) = (two_digits(hour.into()), two_digits(minute.into()));
        let ([s1, s2], [f1, f2]) = (two_digits(second.into()), two_digits(micros / 10_000));
        let ([f3, f4], [f5, f6]) = (two_digits(micros / 100), two_digits(micros));
        [
            c1, c2, y1, y2, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2,
            b'.', f1, f2, f3, f4, f5, f6, b'Z',
        ]
    }
}

/// Returns the last two decimal digits of a number as ASCII.
const fn two_digits(number: u32) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}

impl fmt::Display for TimestampText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.ascii()).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for TimestampText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(str::from_utf8(&self.ascii()).map_err(S::Error::custom)?)
    }
}

/// A text is not a timestamp, or its year in UTC is not from 0 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an RFC 3339 timestamp, for example 2025-07-24T14:23:00Z")]
pub(crate) struct MomentError;

/// Parses an RFC 3339 timestamp in any time zone. In UTC, its year must be from 0 to 9999.
pub(crate) fn parse_moment(text: &str) -> Result<Timestamp, MomentError> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| MomentError)?;
    let utc = moment.checked_to_offset(UtcOffset::UTC).ok_or(MomentError)?;
    if utc.year() < 0 { Err(MomentError) } else { Ok(utc.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn timestamps_always_have_six_digits_and_a_z() {
        let text = |micros| TimestampText(Timestamp::from_unix_micros(micros)).to_string();
        assert_eq!(text(1_753_366_980_000_000), "2025-07-24T14:23:00.000000Z");
        assert_eq!(text(1_753_366_980_000_042), "2025-07-24T14:23:00.000042Z");
        assert_eq!(text(-1), "1969-12-31T23:59:59.999999Z");
    }

    proptest! {
        #[test]
        fn a_written_timestamp_parses_to_the_same_value(
            micros in -62_167_219_200_000_000..253_402_300_800_000_000_i64,
        ) {
            let moment = Timestamp::from_unix_micros(micros);
            let text = TimestampText(moment).to_string();
            prop_assert_eq!(parse_moment(&text), Ok(moment));
            prop_assert_eq!(text.len(), 27);
            let json = serde_json::to_string(&TimestampText(moment)).unwrap();
            prop_assert_eq!(json, format!("\"{text}\""));
        }
    }

    #[test]
    fn every_accepted_timestamp_can_be_written() {
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
