//! Answers with the bytes of a file: validators, compression, and bodies in small pieces.

use actix_web::body::SizedStream;
use actix_web::http::header::{self, EntityTag, Header, IfNoneMatch};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::Write;

/// Bytes that a body hands to its connection at a time. If a client does not read, only this part
/// of the file is copied for its connection.
const PIECE_BYTES: usize = 16 * 1024;

/// A file in memory, as it is and compressed. All answers share the bytes.
#[derive(Debug, Clone)]
pub(crate) struct File {
    content_type: &'static str,
    plain: Bytes,
    /// The bytes in gzip, if that is shorter.
    gzip: Option<Bytes>,
    /// SHA-256 of the plain bytes, in hexadecimal digits.
    digest: String,
}

impl File {
    pub(crate) fn new(content_type: &'static str, plain: Vec<u8>) -> Self {
        let gzip = gzip(&plain).filter(|gzip| gzip.len() < plain.len()).map(Bytes::from);
        let digest = hex(&Sha256::digest(&plain));
        Self { content_type, plain: plain.into(), gzip, digest }
    }

    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.plain).unwrap()
    }

    /// Number of bytes that a client receives as the body.
    #[cfg(test)]
    pub(crate) fn compressed_bytes(&self) -> usize {
        self.gzip.as_ref().unwrap_or(&self.plain).len()
    }

    /// Answers `request` with this file: 304 if the client has it already. `add` adds headers,
    /// which both answers have.
    pub(crate) fn answer(
        &self,
        request: &HttpRequest,
        add: impl FnOnce(&mut HttpResponseBuilder),
    ) -> HttpResponse {
        let compressed = self.gzip.as_ref().filter(|_| accepts_gzip(request));
        // Each form of a file has its own strong tag (RFC 9110 section 8.8.3.3).
        let suffix = if compressed.is_some() { "-gzip" } else { "" };
        let tag =
            EntityTag::new_strong(format!("{}{suffix}", self.digest.get(..32).unwrap_or_default()));
        let is_known = match IfNoneMatch::parse(request) {
            Ok(IfNoneMatch::Any) => true,
            Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag)),
            Err(_) => false,
        };
        let mut answer = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        answer.insert_header(header::ETag(tag));
        add(&mut answer);
        if is_known {
            return answer.finish();
        }
        answer.content_type(self.content_type);
        if compressed.is_some() {
            answer.insert_header((header::CONTENT_ENCODING, "gzip"));
        }
        answer.body(in_pieces(compressed.unwrap_or(&self.plain).clone()))
    }
}

fn in_pieces(
    bytes: Bytes,
) -> SizedStream<impl futures_util::Stream<Item = Result<Bytes, Infallible>>> {
    let length = bytes.len();
    let starts = (0..length).step_by(PIECE_BYTES);
    let pieces = starts.map(move |start| Ok(bytes.slice(start..length.min(start + PIECE_BYTES))));
    SizedStream::new(length as u64, stream::iter(pieces))
}

/// Returns whether the client names gzip with a quality above 0.
fn accepts_gzip(request: &HttpRequest) -> bool {
    let values = request.headers().get_all(header::ACCEPT_ENCODING);
    let codings = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    codings.map(|coding| coding.replace(' ', "").to_ascii_lowercase()).any(|coding| {
        let (name, q) = coding.split_once(";q=").unwrap_or((&coding, "1"));
        matches!(name, "gzip" | "x-gzip") && !q.trim_end_matches(['0', '.']).is_empty()
    })
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut digits, byte| {
        // Writing into memory cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn accepts(coding: &str) -> bool {
        accepts_gzip(
            &TestRequest::default()
                .insert_header((header::ACCEPT_ENCODING, coding))
                .to_http_request(),
        )
    }

    #[test]
    fn gzip_is_sent_only_to_clients_that_accept_it() {
        for coding in ["gzip", "br, GZIP", "gzip;q=0.5", "gzip; q=1.0", "x-gzip"] {
            assert!(accepts(coding), "{coding}");
        }
        for coding in ["", "br", "identity", "gzip;q=0", "gzip; q=0.000", "gzipped"] {
            assert!(!accepts(coding), "{coding}");
        }
    }
}
