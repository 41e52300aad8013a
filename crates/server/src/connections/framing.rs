//! Detection of the end of each HTTP/1.1 request (RFC 9112 section 6), without I/O.
//!
//! The stream uses the result to withhold the next request until the current one is answered. The
//! HTTP library decodes heads and bodies itself.

/// State of a connection's byte stream: what the next bytes belong to.
#[derive(Debug, Default)]
pub(super) enum Framing {
    /// Before or in a head.
    #[default]
    Head,
    /// In a body with this many bytes left.
    Body(u64),
    /// In a chunked body.
    Chunked(Chunked),
    /// After the head of a WebSocket handshake. All further bytes belong to the WebSocket.
    Opaque,
    /// After an invalid chunked body. The end of the request cannot be detected any more.
    Broken,
}

/// Parser of a chunked body. The HTTP library accepts every body that this parser accepts, and
/// finds the same end. The library is less strict: it also accepts invalid trailers that can hide a
/// second request, and chunk extensions of unlimited length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunked {
    place: Chunk,
    /// Number of spare bytes that may still follow: white space, extensions, trailers, and zeros
    /// before a size.
    spare: usize,
}

/// Upper bound of spare bytes of one body: white space, extensions, trailers, and zeros before a
/// size.
const MOST_SPARE_BYTES: usize = 16 * 1024;

/// Position of the parser in the grammar of a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    /// Before a size.
    FirstDigit,
    /// In a size line; the value of the digits so far.
    Size(u64),
    /// In white space after the size.
    Space(u64),
    /// In an extension after the size.
    Extension(u64),
    /// Between the CR and the LF of the line with this size.
    SizeEnd(u64),
    /// In data with this many bytes left.
    Data(u64),
    /// Before the line break after the data.
    DataEnd,
    /// Between the CR and the LF after the data.
    DataLineFeed,
    /// At the beginning of a line of the trailer section.
    TrailerLine,
    /// In the name of a trailer.
    TrailerName,
    /// In the value of a trailer.
    TrailerValue,
    /// Between the CR and the LF of a trailer.
    TrailerLineFeed,
    /// Between the CR and the LF that end the body.
    LastLineFeed,
}

/// Result of parsing some bytes of a chunked body.
enum ChunkStep {
    Next(Chunk),
    End,
    /// The bytes are not a valid chunked body.
    Broken,
}

/// Number of leading bytes that belong to the current request, and whether the request ends with
/// them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) bytes: usize,
    /// Whether the request ends with these bytes.
    pub(super) is_whole: bool,
}

impl Framing {
    /// Begins a request after its head. `next` is the framing of the bytes after the head. Returns
    /// whether the request has no body and is therefore complete.
    pub(super) fn begin(&mut self, next: Self) -> bool {
        let is_whole = matches!(next, Self::Body(0));
        *self = if is_whole { Self::Head } else { next };
        is_whole
    }

    /// Returns how many of `bytes`, which follow a head, belong to its request.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Taken {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            let (count, is_whole) = self.step(rest);
            taken += count;
            if is_whole {
                *self = Self::Head;
                return Taken { bytes: taken, is_whole };
            }
            if let Self::Head | Self::Broken = self {
                break;
            }
        }
        Taken { bytes: taken, is_whole: false }
    }

    fn step(&mut self, bytes: &[u8]) -> (usize, bool) {
        match self {
            Self::Head | Self::Broken => (0, false),
            Self::Body(left) => {
                let count = part_of(*left, bytes);
                *left -= count as u64;
                (count, *left == 0)
            }
            Self::Chunked(chunked) => match chunked.step(bytes) {
                (count, ChunkStep::Next(next)) => {
                    chunked.place = next;
                    (count, false)
                }
                (count, ChunkStep::End) => (count, true),
                (_, ChunkStep::Broken) => {
                    *self = Self::Broken;
                    (0, false)
                }
            },
            Self::Opaque => (bytes.len(), false),
        }
    }
}

/// Returns the smaller of `left` and the number of `bytes`.
fn part_of(left: u64, bytes: &[u8]) -> usize {
    usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()))
}

impl Chunked {
    /// Creates a parser at the start of a body.
    pub(super) fn new() -> Self {
        Self { place: Chunk::FirstDigit, spare: MOST_SPARE_BYTES }
    }

    /// Parses some of `bytes`. Returns how many, and the result.
    fn step(&mut self, bytes: &[u8]) -> (usize, ChunkStep) {
        let Some(&first) = bytes.first() else { return (0, ChunkStep::Next(self.place)) };
        if let Chunk::Data(left) = self.place {
            let count = part_of(left, bytes);
            let left = left - count as u64;
            let next = if left == 0 { Chunk::DataEnd } else { Chunk::Data(left) };
            return (count, ChunkStep::Next(next));
        }
        if let (Chunk::LastLineFeed, b'\n') = (self.place, first) {
            return (1, ChunkStep::End);
        }
        let next = self.place.next(first).filter(|next| !next.is_spare() || self.spend_one());
        (1, next.map_or(ChunkStep::Broken, ChunkStep::Next))
    }

    /// Counts one spare byte. Returns whether it was within the bound.
    fn spend_one(&mut self) -> bool {
        let has_any = self.spare > 0;
        self.spare = self.spare.saturating_sub(1);
        has_any
    }
}

impl Chunk {
    /// Returns whether the byte that led to this state counts as a spare byte.
    fn is_spare(self) -> bool {
        matches!(
            self,
            Self::Size(0)
                | Self::Space(_)
                | Self::Extension(_)
                | Self::TrailerName
                | Self::TrailerValue
        )
    }

    /// Returns the state after a byte that is not data; `None` if the byte is invalid in this
    /// state.
    fn next(self, byte: u8) -> Option<Self> {
        let digit = || char::from(byte).to_digit(16).map(u64::from);
        let is_token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let is_text = matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
        match (self, byte) {
            (Self::FirstDigit, _) => digit().map(Self::Size),
            (Self::Size(size) | Self::Space(size), b'\t' | b' ') => Some(Self::Space(size)),
            (Self::Size(size) | Self::Space(size), b';') => Some(Self::Extension(size)),
            (Self::Size(size) | Self::Space(size) | Self::Extension(size), b'\r') => {
                Some(Self::SizeEnd(size))
            }
            (Self::Size(size), _) => {
                digit().and_then(|digit| size.checked_mul(16)?.checked_add(digit)).map(Self::Size)
            }
            (Self::Extension(size), _) if is_text => Some(Self::Extension(size)),
            (Self::SizeEnd(0) | Self::TrailerLineFeed, b'\n') => Some(Self::TrailerLine),
            (Self::SizeEnd(size), b'\n') => Some(Self::Data(size)),
            (Self::DataEnd, b'\r') => Some(Self::DataLineFeed),
            (Self::DataLineFeed, b'\n') => Some(Self::FirstDigit),
            (Self::TrailerLine, b'\r') => Some(Self::LastLineFeed),
            (Self::TrailerLine | Self::TrailerName, _) if is_token => Some(Self::TrailerName),
            (Self::TrailerName, b':') => Some(Self::TrailerValue),
            (Self::TrailerValue, b'\r') => Some(Self::TrailerLineFeed),
            (Self::TrailerValue, _) if is_text => Some(Self::TrailerValue),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::head::Head;
    use super::*;
    use actix_http::ServiceConfig;
    use actix_http::h1::{Codec, Message};
    use actix_web::rt::Runtime;
    use actix_web::web::BytesMut;
    use proptest::prelude::*;
    use tokio_util::codec::Decoder;

    const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

    /// Parses a body in pieces of `piece` bytes. Returns the number of bytes that belong to the
    /// request, whether the request is complete, and whether the body is invalid.
    fn end_of(head: &str, body: &[u8], piece: usize) -> (usize, bool, bool) {
        let mut framing = Framing::default();
        if framing.begin(Head::parse(head.as_bytes()).unwrap().framing) {
            return (0, true, false);
        }
        let mut at = 0;
        for bytes in body.chunks(piece) {
            let taken = framing.take(bytes);
            at += taken.bytes;
            if taken.is_whole || taken.bytes < bytes.len() {
                return (at, taken.is_whole, matches!(framing, Framing::Broken));
            }
        }
        (at, false, matches!(framing, Framing::Broken))
    }

    #[test]
    fn a_request_ends_where_its_head_declares() {
        let with = |headers: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{headers}\r\n");
        for piece in [1, 2, 7, 100] {
            let ends = |head: &str, body: &str| end_of(head, body.as_bytes(), piece);
            assert_eq!(ends(&with(""), "GET"), (0, true, false));
            assert_eq!(ends(&with("Content-Length: 0\r\n"), "GET"), (0, true, false));
            assert_eq!(ends(&with("Content-Length: 4\r\n"), "\r\n\r\nGET"), (4, true, false));
            assert_eq!(ends(&with("content-length:4\r\n"), "abc"), (3, false, false));
            let body = "5;x=y\r\nhello\r\nA \r\n0123456789\r\n0\r\nX: y\r\n\r\n";
            assert_eq!(ends(CHUNKED, &format!("{body}GET")), (body.len(), true, false));
        }
    }

    #[test]
    fn an_invalid_chunk_breaks_the_body() {
        for body in [
            "0x5\r\n",
            "+5\r\n",
            "\r\n",
            "ZZ\r\n",
            "5\nhello",
            "5\r\nhello0",
            "5 5\r\n",
            "5\r\nhello\r0",
            "0\r\nX: y\n\r\n",
            "0\r\n\n",
            "0\r\nX y\r\n",
            "0\r\nX: \0\r\n",
            "0\r\n: y\r\n",
            "11111111111111111\r\n",
            "0\r\n\rx",
            "5;\0\r\n",
        ] {
            for piece in [1, 3, 100] {
                let (_, is_whole, is_broken) = end_of(CHUNKED, body.as_bytes(), piece);
                assert!(is_broken && !is_whole, "{body:?}");
            }
        }
    }

    #[test]
    fn spare_bytes_are_bounded() {
        let long = |text: &str| text.repeat(MOST_SPARE_BYTES + 1);
        for body in [
            format!("5;{}", long("x")),
            format!("5{}", long(" ")),
            long("0"),
            format!("0\r\nX: {}", long("y")),
            format!("0\r\n{}", "X: y\r\n".repeat(MOST_SPARE_BYTES / 3)),
        ] {
            let (end, is_whole, is_broken) = end_of(CHUNKED, body.as_bytes(), 100);
            assert!(is_broken && !is_whole && end <= 2 * MOST_SPARE_BYTES, "{body:.20}");
        }
        // A body in chunks of one byte has more bytes of sizes than of data. Sizes are not spare.
        let single = "1\r\nx\r\n".repeat(MOST_SPARE_BYTES);
        assert!(!end_of(CHUNKED, single.as_bytes(), 100).2);
    }

    /// Decodes a chunked body with the HTTP library. Returns whether the body ends, and whether it
    /// is refused.
    fn by_the_library(body: &[u8]) -> (bool, bool) {
        Runtime::new().unwrap().block_on(async {
            let mut codec = Codec::new(ServiceConfig::default());
            let mut bytes = BytesMut::from(CHUNKED);
            bytes.extend_from_slice(body);
            loop {
                match codec.decode(&mut bytes) {
                    Ok(Some(Message::Chunk(None))) => return (true, false),
                    Ok(Some(_)) => {}
                    Ok(None) => return (false, false),
                    Err(_) => return (false, true),
                }
            }
        })
    }

    proptest! {
        /// If this parser finds the end of a body, the library finds the same end. If the library
        /// refuses a body, this parser also refuses it. So the library never refuses bytes that it
        /// receives, and never reads the next request as part of this one.
        #[test]
        fn the_library_accepts_every_accepted_chunked_body_with_the_same_end(
            body in "([0-9a-fA-F]{0,2}[;\t x]{0,2}\r\n[a-z]{0,17}\r?\n?){0,3}(0\r\n(X: y\r?\n|[a-z:]{0,3}\r\n){0,2}\r?\n)?",
            piece in 1..9_usize,
        ) {
            let (end, is_whole, is_broken) = end_of(CHUNKED, body.as_bytes(), piece);
            let taken = &body.as_bytes()[..end];
            let (ends_there, is_refused_there) = by_the_library(taken);
            prop_assert!(!is_refused_there, "{:?}", body);
            prop_assert_eq!(is_whole, ends_there, "{:?}", body);
            prop_assert!(is_whole || is_broken || end == body.len(), "{:?}", body);
        }

        #[test]
        fn arbitrary_bytes_cause_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let (taken, ..) = end_of(CHUNKED, &bytes, 17);
            prop_assert!(taken <= bytes.len());
        }
    }
}
