//! The address of a page about an alert, checked so that a browser can open it safely.

use std::sync::Arc;
use url::Url;

/// An `http` or `https` address of at most 2,048 bytes in normal form. The normal form has no
/// spaces, no quotes, and only ASCII characters. Cloning shares the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HttpUrl(Arc<str>);

/// Reason why a text is not accepted as an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HttpUrlError {
    /// The text is not a URL, or its scheme is not `http` or `https`. A page shows the address as a
    /// link, and a link with the scheme `javascript` would run code.
    #[error("must be an http or https address")]
    NotHttp,
    /// The address is longer than [`HttpUrl::MAX_BYTES`], as sent or in normal form.
    #[error("must be at most {} bytes long", HttpUrl::MAX_BYTES)]
    TooLong,
}

impl HttpUrl {
    /// Maximum length of an address, in bytes, as sent and in normal form.
    pub const MAX_BYTES: usize = 2_048;

    /// Parses `raw` and returns the address in normal form, or the reason why the address is not
    /// accepted.
    pub fn parse(raw: &str) -> Result<Self, HttpUrlError> {
        // The limit applies twice: before parsing, to bound the work, and below to the normal form,
        // which can be longer.
        if raw.len() > Self::MAX_BYTES {
            return Err(HttpUrlError::TooLong);
        }
        let url = Url::parse(raw).map_err(|_| HttpUrlError::NotHttp)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(HttpUrlError::NotHttp);
        }
        if url.as_str().len() > Self::MAX_BYTES {
            return Err(HttpUrlError::TooLong);
        }
        // The normal form of some long host names cannot be parsed again. Such addresses are
        // rejected.
        if Url::parse(url.as_str()).as_ref() != Ok(&url) {
            return Err(HttpUrlError::NotHttp);
        }
        Ok(Self(url.as_str().into()))
    }

    /// Restores an address that was stored. The scheme and the characters are checked, because a
    /// page shows the address as a link. The length is not checked, because limits can change and
    /// stored data must stay readable.
    pub fn from_stored(stored: &str) -> Result<Self, HttpUrlError> {
        let is_http = ["http://", "https://"].iter().any(|scheme| stored.starts_with(scheme));
        if is_http && stored.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(stored.into()))
        } else {
            Err(HttpUrlError::NotHttp)
        }
    }

    /// Returns the address in normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_http_and_https_addresses_are_accepted() {
        for (raw, stored) in [
            ("https://example.com/runbook#disk", "https://example.com/runbook#disk"),
            (" HTTP://Grafana.local:3000/d/1?x=\"y\" ", "http://grafana.local:3000/d/1?x=%22y%22"),
            ("https://exämple.com/ä b", "https://xn--exmple-cua.com/%C3%A4%20b"),
        ] {
            assert_eq!(HttpUrl::parse(raw).unwrap().as_str(), stored);
        }
        for raw in [
            "",
            "example.com",
            "/runbook",
            "//example.com",
            "javascript:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,x",
            "ftp://example.com",
            "file:///etc/passwd",
            "http://",
            "https://exa mple.com",
        ] {
            assert_eq!(HttpUrl::parse(raw), Err(HttpUrlError::NotHttp), "{raw:?}");
        }
        let long = format!("https://example.com/{}", "x".repeat(HttpUrl::MAX_BYTES));
        assert_eq!(HttpUrl::parse(&long), Err(HttpUrlError::TooLong));
        let grows = format!("https://example.com/{}", "ä".repeat(500));
        assert_eq!(HttpUrl::parse(&grows), Err(HttpUrlError::TooLong));
    }

    /// Returns a host name with `length` characters from a set of 20,000. Each character has three
    /// bytes in UTF-8, and more bytes in the normal form.
    fn long_host(length: u32) -> String {
        (0..length).filter_map(|n| char::from_u32(0x4E00 + n * 7_919 % 20_000)).collect()
    }

    #[test]
    fn a_host_whose_normal_form_cannot_be_parsed_is_rejected() {
        let mut rejected = 0;
        for length in 600..680 {
            match HttpUrl::parse(&format!("http://{}/", long_host(length))) {
                Ok(link) => assert_eq!(HttpUrl::parse(link.as_str()), Ok(link)),
                Err(HttpUrlError::NotHttp) => rejected += 1,
                Err(HttpUrlError::TooLong) => {}
            }
        }
        assert!(rejected > 0, "no generated host name has a normal form that cannot be parsed");
    }

    #[test]
    fn a_stored_address_is_checked_for_scheme_and_characters_only() {
        let unreadable = format!("http://xn--{}/", "a".repeat(2_001));
        assert_eq!(HttpUrl::parse(&unreadable), Err(HttpUrlError::NotHttp));
        assert_eq!(HttpUrl::from_stored(&unreadable).unwrap().as_str(), unreadable);
        for bad in ["", "javascript:alert(1)", "ftp://x/", "http://a b/", "https://\u{e4}/"] {
            assert_eq!(HttpUrl::from_stored(bad), Err(HttpUrlError::NotHttp), "{bad:?}");
        }
        let long = format!("http://x/{}", "x".repeat(HttpUrl::MAX_BYTES));
        assert_eq!(HttpUrl::from_stored(&long).unwrap().as_str(), long);
    }

    proptest! {
        #[test]
        fn an_accepted_address_parses_to_itself(
            raw in "https?://(\\PC{0,9}|[a-z.]{1,9}|[\u{4E00}-\u{9FFF}]{0,679})/\\PC{0,40}",
        ) {
            if let Ok(link) = HttpUrl::parse(&raw) {
                prop_assert!(link.as_str().bytes().all(|b| b.is_ascii_graphic()));
                prop_assert_eq!(HttpUrl::parse(link.as_str()), Ok(link.clone()));
                prop_assert_eq!(HttpUrl::from_stored(link.as_str()), Ok(link.clone()));
            }
        }
    }
}
