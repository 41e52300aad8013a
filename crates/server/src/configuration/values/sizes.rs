//! Sizes in settings, in bytes: `500MB`, `2GiB`.

use super::{ValueError, from_text, not};
use bytesize::ByteSize;
use serde::Deserialize;
use std::num::NonZeroU64;
use std::str::FromStr;

/// Upper bound of bytes, such as `2GiB`, or `off` for no bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ByteLimit(Option<NonZeroU64>);

impl ByteLimit {
    /// Lower bound. An empty database and its write-ahead log use some hundred KiB already.
    const LEAST: u64 = 4 * 1024 * 1024;

    /// Returns the bound in bytes; `None` means no bound.
    pub(crate) fn bytes(self) -> Option<NonZeroU64> {
        self.0
    }
}

impl FromStr for ByteLimit {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text == "off" {
            return Ok(Self(None));
        }
        let given = text.parse::<ByteSize>().ok().map(|size| size.as_u64());
        let limit = given.filter(|bytes| *bytes >= Self::LEAST).and_then(NonZeroU64::new);
        limit
            .map(|limit| Self(Some(limit)))
            .ok_or_else(|| not(text, "a size such as 500MB or 2GiB (at least 4MiB), or off"))
    }
}

from_text!(ByteLimit);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_on_bytes_has_a_unit_or_is_off() {
        let bytes =
            |text: &str| text.parse::<ByteLimit>().map(|limit| limit.bytes().map(u64::from));
        assert_eq!(bytes("off"), Ok(None));
        assert_eq!(bytes("500MB"), Ok(Some(500_000_000)));
        assert_eq!(bytes("2 GiB"), Ok(Some(2_147_483_648)));
        assert_eq!(bytes("4194304"), Ok(Some(4_194_304)));
        for bad in ["", "0", "1MiB", "-5GB", "many", "5 elephants"] {
            let error = bytes(bad).unwrap_err().to_string();
            assert!(error.contains("such as 500MB"), "{error}");
        }
    }
}
