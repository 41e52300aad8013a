//! Lists in settings: host names, origins, methods, and header names.

use super::{ValueError, not};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::fmt::Display;
use std::str::FromStr;

/// Deserializes a list of strings, or one string with commas between the items.
pub(crate) fn texts<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<Vec<String>, Error: Display>,
{
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a list of strings, or one string with commas")]
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

/// Host names that clients use for the server: `alerts.example.com`. A name with a port is valid
/// for that port only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicHosts(Vec<String>);

impl PublicHosts {
    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }

    /// Returns `name` if it is valid in a `Host` header.
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

    /// Returns the origin in the form that browsers send: lower case, without a default port, and
    /// without a slash at the end.
    fn check(given: &str) -> Result<String, ValueError> {
        if matches!(given, "*" | "null" | "file://") {
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
        let lower = bare.to_ascii_lowercase();
        let port = match lower.split_once("://") {
            Some(("http", _)) => ":80",
            Some(("https", _)) => ":443",
            _ => "",
        };
        let kept = lower.strip_suffix(port).unwrap_or(&lower);
        is_origin.then(|| kept.to_owned()).ok_or_else(|| not(given, expected))
    }
}

impl TryFrom<Vec<String>> for Origins {
    type Error = ValueError;

    fn try_from(given: Vec<String>) -> Result<Self, ValueError> {
        given.iter().map(|origin| Self::check(origin)).collect::<Result<_, _>>().map(Self)
    }
}

/// A list of allowed values, or all values.
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
            name.parse().map_err(|_| not(name, "an HTTP method or header name, or * for all"))
        };
        names.iter().map(one).collect::<Result<_, _>>().map(|values| Self(Some(values)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_normalized_to_the_form_that_browsers_send() {
        let kept = |given: &str| Origins::try_from(vec![given.to_owned()]).map(|origins| origins.0);
        assert_eq!(kept("HTTPS://Board.Test/"), Ok(vec!["https://board.test".to_owned()]));
        assert_eq!(kept("app://x:1"), Ok(vec!["app://x:1".to_owned()]));
        for (given, sent) in [
            ("https://board.test:443", "https://board.test"),
            ("http://board.test:80/", "http://board.test"),
            ("http://board.test:443", "http://board.test:443"),
            ("http://[::1]:80", "http://[::1]"),
            ("file://", "file://"),
            ("null", "null"),
            ("*", "*"),
        ] {
            assert_eq!(kept(given), Ok(vec![sent.to_owned()]));
        }
        for bad in ["board.test", "https://", "https://a/b", "https://u@a", "://a", "https://a b"] {
            assert!(kept(bad).is_err(), "{bad}");
        }
    }
}
