//! Where more is to be read about an alert: an address that a browser may safely open.

use std::sync::Arc;
use url::Url;

/// An `http` or `https` address of at most 2,048 bytes, in its normal form, which has no spaces, no
/// quotes, and no characters beyond ASCII. Cloning shares the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HttpUrl(Arc<str>);

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HttpUrlError {
    /// It is none, or of another scheme: a page that shows it as a link must not run it.
    #[error("must be an http or https address")]
    NotHttp,
    /// It is longer than is kept.
    #[error("must be at most {} bytes long", HttpUrl::MAX_BYTES)]
    TooLong,
}

impl HttpUrl {
    /// The most bytes of an address in its normal form.
    pub const MAX_BYTES: usize = 2_048;

    /// Accepts `raw` in its normal form, or says why not.
    pub fn parse(raw: &str) -> Result<Self, HttpUrlError> {
        // What grows in its normal form is judged by that; what is long before is not even read.
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
        // There are names of hosts that can be written in their normal form and not be read in it.
        if Url::parse(url.as_str()).as_ref() != Ok(&url) {
            return Err(HttpUrlError::NotHttp);
        }
        Ok(Self(url.as_str().into()))
    }

    /// Restores an address that was stored. Its scheme and its characters are checked, because a
    /// page shows it as a link; its length is not, because limits change and stored data stays.
    pub fn from_stored(stored: &str) -> Result<Self, HttpUrlError> {
        let is_http = ["http://", "https://"].iter().any(|scheme| stored.starts_with(scheme));
        if is_http && stored.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(stored.into()))
        } else {
            Err(HttpUrlError::NotHttp)
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_of_the_web_are_taken_and_nothing_else() {
        for (raw, kept) in [
            ("https://example.com/runbook#disk", "https://example.com/runbook#disk"),
            (" HTTP://Grafana.local:3000/d/1?x=\"y\" ", "http://grafana.local:3000/d/1?x=%22y%22"),
            ("https://exämple.com/ä b", "https://xn--exmple-cua.com/%C3%A4%20b"),
        ] {
            assert_eq!(HttpUrl::parse(raw).unwrap().as_str(), kept);
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

    /// A name of a host in signs of which each is one of 20,000: it is three bytes long, and its
    /// normal form is longer still.
    fn long_host(signs: u32) -> String {
        (0..signs).filter_map(|n| char::from_u32(0x4E00 + n * 7_919 % 20_000)).collect()
    }

    #[test]
    fn a_host_that_could_not_be_read_again_is_none() {
        let mut refused = 0;
        for signs in 600..680 {
            match HttpUrl::parse(&format!("http://{}/", long_host(signs))) {
                Ok(link) => assert_eq!(HttpUrl::parse(link.as_str()), Ok(link)),
                Err(HttpUrlError::NotHttp) => refused += 1,
                Err(HttpUrlError::TooLong) => {}
            }
        }
        assert!(refused > 0, "none was of the kind that this is about");
    }

    #[test]
    fn a_stored_address_is_checked_for_its_form_alone() {
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
        fn what_is_kept_is_read_again_as_it_is(
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
