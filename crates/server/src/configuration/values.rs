//! Values of settings that need a word of their own: each is parsed from text, and says what it
//! takes when it cannot.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

/// Why a text is no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not {expected}")]
pub struct ValueError {
    given: String,
    expected: &'static str,
}

fn not(given: &str, expected: &'static str) -> ValueError {
    ValueError { given: given.to_owned(), expected }
}

/// More worker threads than these the HTTP library refuses, with a panic.
pub(super) const MOST_WORKERS: NonZeroUsize = NonZeroUsize::new(512).unwrap();

/// A plain type as it stands in text. The configuration library's own conversions are generous:
/// to it, `1.5` and `true` are ports.
pub(super) trait Plain: Sized {
    /// Reads all of `text`.
    fn parse(text: &str) -> Result<Self, ValueError>;
}

impl Plain for u16 {
    fn parse(text: &str) -> Result<Self, ValueError> {
        text.parse().map_err(|_| not(text, "a port, which is a number from 0 to 65535"))
    }
}

impl Plain for NonZeroUsize {
    fn parse(text: &str) -> Result<Self, ValueError> {
        text.parse().map_err(|_| not(text, "a whole number, 1 or more"))
    }
}

impl Plain for bool {
    fn parse(text: &str) -> Result<Self, ValueError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" | "" => Ok(false),
            _ => Err(not(text, "true or false")),
        }
    }
}

/// Reads a plain type by its text.
pub(super) fn plain<'de, D: Deserializer<'de>, T: Plain>(from: D) -> Result<T, D::Error> {
    T::parse(&String::deserialize(from)?).map_err(D::Error::custom)
}

/// Reads a number of worker threads.
pub(super) fn workers(text: &str) -> Result<NonZeroUsize, ValueError> {
    let threads = text.parse().ok().filter(|threads| *threads <= MOST_WORKERS);
    threads.ok_or_else(|| not(text, "a number of threads, from 1 to 512"))
}

/// Reads a number of worker threads from a layer.
pub(super) fn workers_in<'de, D: Deserializer<'de>>(from: D) -> Result<NonZeroUsize, D::Error> {
    workers(&String::deserialize(from)?).map_err(D::Error::custom)
}

/// Reads texts in a row: listed one by one, or in one text with commas between them.
pub(super) fn texts<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<Vec<String>, Error: Display>,
{
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "this is a list of texts, or one text with commas")]
    enum Texts {
        Listed(Vec<String>),
        Joined(String),
    }
    let texts = match Texts::deserialize(from)? {
        Texts::Listed(texts) => texts,
        Texts::Joined(text) => text.split(',').map(str::to_owned).collect(),
    };
    let trimmed = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
    T::try_from(trimmed.map(str::to_owned).collect()).map_err(D::Error::custom)
}

/// The address to bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Host(IpAddr);

impl Default for Host {
    fn default() -> Self {
        Self(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }
}

impl Host {
    pub(crate) fn address(self) -> IpAddr {
        self.0
    }
}

impl FromStr for Host {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text == "localhost" {
            return Ok(Self::default());
        }
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        bare.parse().map(Self).map_err(|_| not(text, "an IP address, such as 127.0.0.1 or 0.0.0.0"))
    }
}

/// No timer is asked for more often.
const SHORTEST: Duration = Duration::from_millis(1);

/// How often the generator raises an alert: a duration such as `10s`, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct GeneratorInterval(Option<Duration>);

impl Default for GeneratorInterval {
    fn default() -> Self {
        Self(Some(Duration::from_secs(10)))
    }
}

impl GeneratorInterval {
    /// No generator.
    pub const OFF: Self = Self(None);

    /// The time between two alerts; `None` if there are to be none.
    pub fn duration(self) -> Option<Duration> {
        self.0
    }
}

impl FromStr for GeneratorInterval {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text == "off" {
            return Ok(Self::OFF);
        }
        match humantime::parse_duration(text) {
            Ok(every) if every >= SHORTEST => Ok(Self(Some(every))),
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

/// Host names under which the server is known outside: `alerts.example.com`, with a port if only
/// that one is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicHosts(Vec<String>);

impl PublicHosts {
    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether `name` can stand in a `Host` header.
    pub(crate) fn check(name: &str) -> Result<String, ValueError> {
        let known = northgate_api::middlewares::is_host(name);
        known.then(|| name.to_owned()).ok_or_else(|| {
            not(name, "a host name, such as alerts.example.com or alerts.example.com:8443")
        })
    }
}

impl TryFrom<Vec<String>> for PublicHosts {
    type Error = ValueError;

    fn try_from(names: Vec<String>) -> Result<Self, ValueError> {
        names.iter().map(|name| Self::check(name)).collect::<Result<_, _>>().map(Self)
    }
}

/// Origins as browsers send them, or `*` for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    pub(crate) fn listed(&self) -> &[String] {
        &self.0
    }

    /// In the form that browsers send: lower case, and no slash at the end.
    fn check(given: &str) -> Result<String, ValueError> {
        if matches!(given, "*" | "null") {
            return Ok(given.to_owned());
        }
        let bare = given.strip_suffix('/').unwrap_or(given);
        let scheme_byte = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'-' | b'.');
        let is_origin = bare.split_once("://").is_some_and(|(scheme, host)| {
            !scheme.is_empty()
                && scheme.bytes().all(scheme_byte)
                && northgate_api::middlewares::is_host(host)
        });
        let expected = "an origin, such as https://board.example.com, or * for all";
        is_origin.then(|| bare.to_ascii_lowercase()).ok_or_else(|| not(given, expected))
    }
}

impl TryFrom<Vec<String>> for Origins {
    type Error = ValueError;

    fn try_from(given: Vec<String>) -> Result<Self, ValueError> {
        given.iter().map(|origin| Self::check(origin)).collect::<Result<_, _>>().map(Self)
    }
}

/// Values that are listed one by one, or all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T>(Option<Vec<T>>);

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Clone> Listed<T> {
    /// The values; `None` means all.
    pub(crate) fn listed(&self) -> Option<Vec<T>> {
        self.0.clone()
    }
}

impl<T: FromStr> TryFrom<Vec<String>> for Listed<T> {
    type Error = ValueError;

    fn try_from(names: Vec<String>) -> Result<Self, ValueError> {
        if names.iter().any(|name| name == "*") {
            return Ok(Self(None));
        }
        let one = |name: &String| {
            name.parse().map_err(|_| not(name, "a name that HTTP allows there, or *"))
        };
        names.iter().map(one).collect::<Result<_, _>>().map(|values| Self(Some(values)))
    }
}

/// The least important log lines that are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Level {
    /// Only what needs somebody.
    Error,
    /// What somebody should look at.
    Warn,
    /// What happens to the server as a whole.
    #[default]
    Info,
    /// What happens to single connections.
    Debug,
}

impl Level {
    pub(crate) fn filter(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            // The HTTP library has its own words for what our lines say.
            Self::Info => "info,actix_server=warn",
            Self::Debug => "debug",
        }
    }
}

impl FromStr for Level {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text {
            "error" => Ok(Self::Error),
            "warn" => Ok(Self::Warn),
            "info" => Ok(Self::Info),
            "debug" => Ok(Self::Debug),
            _ => Err(not(text, "one of error, warn, info, debug")),
        }
    }
}

macro_rules! from_text {
    ($($name:ty),*) => { $(
        impl TryFrom<String> for $name {
            type Error = ValueError;

            fn try_from(text: String) -> Result<Self, ValueError> {
                text.parse()
            }
        }
    )* };
}

from_text!(Host, GeneratorInterval, Span, Delay, Level);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_duration_or_off() {
        let parsed =
            |text: &str| text.parse::<GeneratorInterval>().map(GeneratorInterval::duration);
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
    fn an_origin_is_kept_as_browsers_send_it() {
        let kept = |given: &str| Origins::try_from(vec![given.to_owned()]).map(|origins| origins.0);
        assert_eq!(kept("HTTPS://Board.Test/"), Ok(vec!["https://board.test".to_owned()]));
        assert_eq!(kept("app://x:1"), Ok(vec!["app://x:1".to_owned()]));
        assert_eq!(kept("*"), Ok(vec!["*".to_owned()]));
        for bad in ["board.test", "https://", "https://a/b", "https://u@a", "://a", "https://a b"] {
            assert!(kept(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_host_is_an_address() {
        assert_eq!("localhost".parse(), Ok(Host::default()));
        assert_eq!("[::1]".parse::<Host>().unwrap().address().to_string(), "::1");
        let error = "example.com".parse::<Host>().unwrap_err().to_string();
        assert_eq!(error, "\"example.com\" is not an IP address, such as 127.0.0.1 or 0.0.0.0");
    }

    #[test]
    fn a_port_and_a_count_are_whole_numbers() {
        assert_eq!(u16::parse("0"), Ok(0));
        assert_eq!(u16::parse("65535"), Ok(65_535));
        assert_eq!(NonZeroUsize::parse("1"), Ok(NonZeroUsize::MIN));
        for bad in ["", "65536", "-1", "1.5", "true", "0x10", "many"] {
            assert!(u16::parse(bad).is_err(), "{bad:?}");
        }
        for bad in ["", "0", "-1", "1.5", "true", "many"] {
            assert!(NonZeroUsize::parse(bad).is_err(), "{bad:?}");
            assert!(workers(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn there_are_no_more_workers_than_the_http_library_takes() {
        assert_eq!(workers("512"), Ok(MOST_WORKERS));
        let error = workers("513").unwrap_err().to_string();
        assert_eq!(error, "\"513\" is not a number of threads, from 1 to 512");
    }

    #[test]
    fn a_boolean_is_a_word() {
        for (word, value) in [("true", true), ("1", true), ("Off", false), ("", false)] {
            assert_eq!(bool::parse(word), Ok(value), "{word:?}");
        }
        let error = bool::parse("maybe").unwrap_err().to_string();
        assert_eq!(error, "\"maybe\" is not true or false");
    }
}
