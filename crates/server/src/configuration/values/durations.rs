//! Lengths of time: `25s`, `500ms`, `1m 30s`.

use super::{ValueError, from_text, not};
use serde::Deserialize;
use std::str::FromStr;
use std::time::Duration;

/// No timer is asked for more often.
const SHORTEST: Duration = Duration::from_millis(1);

/// How often the generator raises an alert: a duration such as `10s`, or `off`. By default nothing
/// is said, and what is not said depends on the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct GeneratorInterval(IntervalChoice);

/// What somebody said about it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum IntervalChoice {
    #[default]
    Nothing,
    Off,
    Every(Duration),
}

impl GeneratorInterval {
    /// No generator.
    pub const OFF: Self = Self(IntervalChoice::Off);

    /// The time between two alerts, or `unsaid` if nothing is said; `None` if there are to be none.
    pub fn duration_or(self, unsaid: Option<Duration>) -> Option<Duration> {
        match self.0 {
            IntervalChoice::Nothing => unsaid,
            IntervalChoice::Off => None,
            IntervalChoice::Every(duration) => Some(duration),
        }
    }
}

impl FromStr for GeneratorInterval {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text == "off" {
            return Ok(Self::OFF);
        }
        match humantime::parse_duration(text) {
            Ok(every) if every >= SHORTEST => Ok(Self(IntervalChoice::Every(every))),
            _ => Err(not(text, "a duration such as 10s or 500ms (at least 1ms), or off")),
        }
    }
}

/// A length of time: `25s`, `500ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let span = humantime::parse_duration(text).ok().filter(|span| *span >= SHORTEST);
        span.map(Self).ok_or_else(|| not(text, "a duration such as 25s or 500ms (at least 1ms)"))
    }
}

/// A length of time that may be nothing: `5s`, `0s`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Delay(pub Duration);

impl FromStr for Delay {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        humantime::parse_duration(text)
            .map(Self)
            .map_err(|_| not(text, "a duration such as 5s or 0s"))
    }
}

/// For how long a sender may have to wait for others of its kind: `100ms`, or `0s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Window(pub Duration);

impl Window {
    /// Whoever raises an alert waits so long at most: clients give up after some seconds.
    const LONGEST: Duration = Duration::from_secs(5);
}

impl FromStr for Window {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let given = humantime::parse_duration(text).ok().filter(|given| *given <= Self::LONGEST);
        given.map(Self).ok_or_else(|| not(text, "a duration such as 100ms or 0s (at most 5s)"))
    }
}

/// After what time something is done by itself: a duration such as `4h`, or `off` for never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct AfterTime(pub Option<Duration>);

impl FromStr for AfterTime {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text == "off" {
            return Ok(Self(None));
        }
        match humantime::parse_duration(text) {
            Ok(span) if span >= SHORTEST => Ok(Self(Some(span))),
            _ => Err(not(text, "a duration such as 4h or 30m (at least 1ms), or off")),
        }
    }
}

/// A length of time in the life of a connection: `10s`, from a second to an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ConnectionTime(pub Duration);

impl ConnectionTime {
    /// The HTTP library takes the time from a clock that moves every half second: a deadline that
    /// is nearer may be over when it is set, and then it is missed.
    const SHORTEST: Duration = Duration::from_secs(1);
    /// Longer is no limit.
    const LONGEST: Duration = Duration::from_hours(1);
}

impl FromStr for ConnectionTime {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let allowed = Self::SHORTEST..=Self::LONGEST;
        let given = humantime::parse_duration(text).ok().filter(|given| allowed.contains(given));
        given.map(Self).ok_or_else(|| not(text, "a duration such as 10s (1s to 1h)"))
    }
}

from_text!(GeneratorInterval, Span, Delay, Window, AfterTime, ConnectionTime);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_duration_or_off() {
        let unsaid = Some(Duration::from_secs(7));
        let parsed = |text: &str| {
            text.parse::<GeneratorInterval>().map(|interval| interval.duration_or(unsaid))
        };
        assert_eq!(GeneratorInterval::default().duration_or(unsaid), unsaid);
        assert_eq!(parsed("10s"), Ok(Some(Duration::from_secs(10))));
        assert_eq!(parsed("1m 30s"), Ok(Some(Duration::from_secs(90))));
        assert_eq!(parsed("off"), Ok(None));
        for bad in ["", "0s", "10", "-1s", "soon", "1us"] {
            assert!(parsed(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_span_is_a_duration_and_never_off() {
        assert_eq!("25s".parse(), Ok(Span(Duration::from_secs(25))));
        for bad in ["", "0s", "off", "25", "-1s"] {
            assert!(bad.parse::<Span>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn nobody_waits_for_longer_than_some_seconds() {
        for (text, millis) in [("0s", 0), ("100ms", 100), ("5s", 5_000)] {
            assert_eq!(text.parse(), Ok(Window(Duration::from_millis(millis))));
        }
        for bad in ["", "5001ms", "1h", "off", "100", "-1s"] {
            assert!(bad.parse::<Window>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_time_of_a_connection_is_a_second_or_more_and_an_hour_at_most() {
        assert_eq!("1s".parse(), Ok(ConnectionTime(Duration::from_secs(1))));
        assert_eq!("1h".parse(), Ok(ConnectionTime(Duration::from_hours(1))));
        for bad in ["", "0s", "999ms", "61m", "off", "10", "-1s"] {
            assert!(bad.parse::<ConnectionTime>().is_err(), "{bad:?}");
        }
    }
}
