//! Decompresses request bodies (RFC 9110 section 8.4).

use crate::ApiError;
use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::Bytes;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::{self, Read};

/// Upper bound of the window of a Zstandard frame, as a power of two: the 8 MiB that every decoder
/// should support (RFC 8878 section 3.1.1.1.2).
const ZSTD_WINDOW_LOG: u32 = 23;

/// Compression of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContentCoding {
    Identity,
    Gzip,
    /// The HTTP name of the zlib format. Some senders send raw deflate under this name. Both
    /// formats are accepted.
    Deflate,
    Zstd,
}

impl ContentCoding {
    /// Returns the compression that the headers state. A body with an unknown coding, or with more
    /// than one coding, is refused.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let mut coding = Self::Identity;
        for value in request.headers().get_all(header::CONTENT_ENCODING) {
            for name in value.as_bytes().split(|byte| *byte == b',') {
                let next = match name.trim_ascii().to_ascii_lowercase().as_slice() {
                    b"" | b"identity" => continue,
                    b"gzip" | b"x-gzip" => Self::Gzip,
                    b"deflate" => Self::Deflate,
                    b"zstd" => Self::Zstd,
                    _ => return Err(ApiError::ContentCoding),
                };
                if coding != Self::Identity {
                    return Err(ApiError::ContentCoding);
                }
                coding = next;
            }
        }
        Ok(coding)
    }

    /// Returns the decompressed body, which may have at most `limit` bytes.
    pub(crate) fn decode(self, body: Bytes, limit: usize) -> Result<Bytes, ApiError> {
        let bytes: &[u8] = &body;
        let decoded = match self {
            Self::Identity => return Ok(body),
            // An empty body is accepted with every coding, and stays empty.
            _ if bytes.is_empty() => return Ok(body),
            Self::Gzip => read(MultiGzDecoder::new(bytes), limit),
            // In a zlib stream, the low four bits of the first byte are 8 (deflate), and the first
            // two bytes, read as a big-endian number, are a multiple of 31 (RFC 1950 section 2.2).
            Self::Deflate => match bytes {
                [first, second, ..]
                    if first & 15 == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0 =>
                {
                    read(ZlibDecoder::new(bytes), limit)
                }
                _ => read(DeflateDecoder::new(bytes), limit),
            },
            Self::Zstd => zstd::Decoder::with_buffer(bytes)
                .and_then(|mut decoder| {
                    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                    Ok(decoder)
                })
                .and_then(|decoder| read(decoder, limit)),
        };
        let decoded = decoded.map_err(|_| ApiError::BadCompression)?;
        if decoded.len() > limit {
            Err(ApiError::BodyTooLarge { limit })
        } else {
            Ok(decoded.into())
        }
    }
}

/// Reads all bytes of a decoder, and at most one byte more than the limit.
fn read(decoder: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    decoder.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    const TEXT: &[u8] = br#"{"message":"Intruder detected","location":"North Gate"}"#;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 19).unwrap()
    }

    #[test]
    fn compressed_bodies_are_decoded() {
        use ContentCoding::{Deflate, Gzip, Identity, Zstd};
        for (coding, body) in [
            (Identity, TEXT.to_vec()),
            (Gzip, gzip(TEXT)),
            (Gzip, [gzip(&TEXT[..9]), gzip(&TEXT[9..])].concat()),
            (Deflate, zlib(TEXT)),
            (Deflate, deflate(TEXT)),
            (Zstd, zstd(TEXT)),
        ] {
            assert_eq!(coding.decode(body.into(), 100).unwrap(), TEXT, "{coding:?}");
        }
    }

    #[test]
    fn too_large_and_broken_compressed_bodies_are_refused() {
        use ContentCoding::{Deflate, Gzip, Zstd};
        let zeros = vec![0; 10_000_000];
        for (coding, encode) in [
            (Gzip, gzip as fn(&[u8]) -> Vec<u8>),
            (Deflate, zlib),
            (Deflate, deflate),
            (Zstd, zstd),
        ] {
            let large = coding.decode(encode(&zeros).into(), 65_536);
            assert!(matches!(large, Err(ApiError::BodyTooLarge { limit: 65_536 })), "{coding:?}");
            let body = encode(TEXT);
            for broken in [&body[..body.len() / 2], b"\xffnot compressed", b"\x1f\x8b"] {
                let error = coding.decode(broken.to_vec().into(), 100).unwrap_err();
                assert!(matches!(error, ApiError::BadCompression), "{coding:?}: {error}");
            }
        }
    }
}
