//! Durations in settings: `25s`, `500ms`, `1m 30s`.

use super::{ValueError, from_text, not};
use serde::Deserialize;
use std::str::FromStr;
use std::time::Duration;

/// Lower bound of the durations that drive a timer.
const SHORTEST: Duration = Duration::from_millis(1);

/// Time between two alerts of the generator: a duration such as `10s`, or `off`. If no interval is
/// set, the scenario or the store determines whether the generator runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct GeneratorInterval(IntervalChoice);

/// The configured interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum IntervalChoice {
    #[default]
    Nothing,
    Off,
    Every(Duration),
}

impl GeneratorInterval {
    /// The generator does not run.
    pub const OFF: Self = Self(IntervalChoice::Off);

    /// Returns whether the generator is turned off.
    pub(crate) fn is_off(self) -> bool {
        self == Self::OFF
    }

    /// Returns the time between two alerts, if one is set.
    pub(crate) fn duration(self) -> Option<Duration> {
        self.duration_or(None)
    }

    /// Returns the time between two alerts, or `unsaid` if no interval is set. `None` means that
    /// the generator does not run.
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

/// A duration of at least 1 ms: `25s`, `500ms`.
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

/// A duration that may be zero: `5s`, `0s`.
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

/// Time for which repeats of an alert are collected, while their senders wait: `100ms`, or `0s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Window(pub Duration);

impl Window {
    /// Upper bound, because the sender of an alert waits for the end of the window, and many
    /// clients wait only some seconds for an answer.
    const LONGEST: Duration = Duration::from_secs(5);
}

impl FromStr for Window {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let given = humantime::parse_duration(text).ok().filter(|given| *given <= Self::LONGEST);
        given.map(Self).ok_or_else(|| not(text, "a duration such as 100ms or 0s (at most 5s)"))
    }
}

/// Time after which an action happens automatically: a duration such as `4h`, or `off` for never.
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

/// Time limit of a connection, from one second to one hour: `10s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ConnectionTime(pub Duration);

impl ConnectionTime {
    /// Lower bound, because the HTTP library reads a clock that advances every half second. A
    /// shorter deadline could be over when it is set, and would then be missed.
    const SHORTEST: Duration = Duration::from_secs(1);
    /// Upper bound. A longer time would not limit anything.
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
    fn a_repeat_window_is_at_most_five_seconds() {
        for (text, millis) in [("0s", 0), ("100ms", 100), ("5s", 5_000)] {
            assert_eq!(text.parse(), Ok(Window(Duration::from_millis(millis))));
        }
        for bad in ["", "5001ms", "1h", "off", "100", "-1s"] {
            assert!(bad.parse::<Window>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_connection_time_is_from_one_second_to_one_hour() {
        assert_eq!("1s".parse(), Ok(ConnectionTime(Duration::from_secs(1))));
        assert_eq!("1h".parse(), Ok(ConnectionTime(Duration::from_hours(1))));
        for bad in ["", "0s", "999ms", "61m", "off", "10", "-1s"] {
            assert!(bad.parse::<ConnectionTime>().is_err(), "{bad:?}");
        }
    }
}
