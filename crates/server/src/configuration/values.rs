//! Types of setting values. Each is parsed from text, and its error states the allowed values.

mod durations;
mod generator;
mod lists;
mod sizes;

pub use durations::GeneratorInterval;
pub(crate) use durations::{AfterTime, ConnectionTime, Delay, Span, Window};
pub use generator::GeneratorScenario;
pub(super) use lists::texts;
pub(crate) use lists::{Listed, Origins, PublicHosts};
pub use sizes::ByteLimit;

use northgate_domain::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::net::{IpAddr, Ipv4Addr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Error of a text that is not a valid value of a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not {expected}")]
pub struct ValueError {
    given: String,
    expected: &'static str,
}

fn not(given: &str, expected: &'static str) -> ValueError {
    ValueError { given: given.to_owned(), expected }
}

/// Implements `TryFrom<String>` by means of `FromStr`. `serde` needs `TryFrom<String>` to read a
/// setting from a file or a variable.
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

use from_text;

/// Upper bound of worker threads. The HTTP library panics above it.
pub(super) const MOST_WORKERS: NonZeroUsize = NonZeroUsize::new(512).unwrap();

/// A plain type that is parsed strictly from text. The conversions of the configuration library
/// are too lenient: they accept `1.5` and `true` as ports.
pub(super) trait Plain: Sized {
    /// Parses the complete `text`.
    fn parse(text: &str) -> Result<Self, ValueError>;
}

impl Plain for u16 {
    fn parse(text: &str) -> Result<Self, ValueError> {
        text.parse().map_err(|_| not(text, "a port number from 0 to 65535"))
    }
}

impl Plain for NonZeroUsize {
    fn parse(text: &str) -> Result<Self, ValueError> {
        text.parse().map_err(|_| not(text, "a whole number, 1 or more"))
    }
}

impl Plain for NonZeroU32 {
    fn parse(text: &str) -> Result<Self, ValueError> {
        text.parse().map_err(|_| not(text, "a whole number from 1 to 4294967295"))
    }
}

impl Plain for u64 {
    fn parse(text: &str) -> Result<Self, ValueError> {
        text.parse().map_err(|_| not(text, "a whole number from 0 to 18446744073709551615"))
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

/// Deserializes a plain type from its text.
pub(super) fn plain<'de, D: Deserializer<'de>, T: Plain>(from: D) -> Result<T, D::Error> {
    T::parse(&String::deserialize(from)?).map_err(D::Error::custom)
}

/// Parses a number of worker threads.
pub(super) fn workers(text: &str) -> Result<NonZeroUsize, ValueError> {
    let threads = text.parse().ok().filter(|threads| *threads <= MOST_WORKERS);
    threads.ok_or_else(|| not(text, "a number of threads from 1 to 512"))
}

/// Deserializes a number of worker threads from its text.
pub(super) fn workers_in<'de, D: Deserializer<'de>>(from: D) -> Result<NonZeroUsize, D::Error> {
    workers(&String::deserialize(from)?).map_err(D::Error::custom)
}

/// Parses a timestamp in the format of RFC 3339.
pub(super) fn moment(text: &str) -> Result<Timestamp, ValueError> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).map(Timestamp::from);
    moment.map_err(|_| not(text, "a time such as 2026-01-31T00:00:00Z"))
}

/// Name of the built-in web page: 1 to 64 characters in one line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct BoardName(String);

impl BoardName {
    const MAX_CHARS: usize = 64;

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BoardName {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let name = text.trim();
        let chars = name.chars().count();
        if chars == 0 || chars > Self::MAX_CHARS || name.chars().any(char::is_control) {
            return Err(not(text, "a name of 1 to 64 characters in one line"));
        }
        Ok(Self(name.to_owned()))
    }
}

from_text!(BoardName);

/// IP address to bind.
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

/// Path of a data folder; a relative path starts at the working directory.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DataFolder(PathBuf);

impl DataFolder {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl FromStr for DataFolder {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text.trim().is_empty() {
            return Err(not(text, "a folder, such as ./data"));
        }
        Ok(Self(text.into()))
    }
}

/// Lowest level of the log lines that are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Level {
    /// Only problems that somebody must solve.
    Error,
    /// Also problems that somebody should check.
    Warn,
    /// Also events of the server as a whole.
    #[default]
    Info,
    /// Also events of single connections.
    Debug,
}

impl Level {
    /// Returns the directives for the log filter. Some modules of the HTTP library log an error for
    /// each malformed request, which any client can send. These modules log only if the level is
    /// `debug`.
    pub(crate) fn filter(self) -> String {
        const CLIENTS: &str =
            "actix_http::h1::dispatcher=off,actix_http::h1::decoder=off,actix_http::ws=off";
        match self {
            Self::Error => format!("error,{CLIENTS}"),
            Self::Warn => format!("warn,{CLIENTS}"),
            // `actix_server` would log events that this server already logs.
            Self::Info => format!("info,actix_server=warn,{CLIENTS}"),
            Self::Debug => "debug".to_owned(),
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

from_text!(Host, DataFolder, Level);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_an_ip_address_or_localhost() {
        assert_eq!("localhost".parse(), Ok(Host::default()));
        assert_eq!("[::1]".parse::<Host>().unwrap().address().to_string(), "::1");
        let error = "example.com".parse::<Host>().unwrap_err().to_string();
        assert_eq!(error, "\"example.com\" is not an IP address, such as 127.0.0.1 or 0.0.0.0");
    }

    #[test]
    fn a_timestamp_has_a_date_a_time_and_an_offset() {
        let moment = |text: &str| moment(text).map(Timestamp::unix_micros);
        assert_eq!(moment("1970-01-01T01:00:00.5+01:00"), Ok(500_000));
        for bad in ["", "now", "2026-01-31", "2026-01-31T00:00:00", "2026-02-31T00:00:00Z"] {
            assert!(moment(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_data_folder_must_not_be_blank() {
        assert_eq!("./my data".parse::<DataFolder>().unwrap().path(), Path::new("./my data"));
        let error = " ".parse::<DataFolder>().unwrap_err().to_string();
        assert_eq!(error, "\" \" is not a folder, such as ./data");
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
            assert!(NonZeroU32::parse(bad).is_err(), "{bad:?}");
            assert!(workers(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_number_of_workers_is_bounded_as_in_the_http_library() {
        assert_eq!(workers("512"), Ok(MOST_WORKERS));
        let error = workers("513").unwrap_err().to_string();
        assert_eq!(error, "\"513\" is not a number of threads from 1 to 512");
    }

    #[test]
    fn a_boolean_is_parsed_from_words_and_digits() {
        for (word, value) in [("true", true), ("1", true), ("Off", false), ("", false)] {
            assert_eq!(bool::parse(word), Ok(value), "{word:?}");
        }
        let error = bool::parse("maybe").unwrap_err().to_string();
        assert_eq!(error, "\"maybe\" is not true or false");
    }
}
