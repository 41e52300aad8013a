//! Where one HTTP/1.1 request ends and the next one begins (RFC 9112 section 6), without I/O.
//!
//! Only what is needed to hold back the next request: the HTTP library reads heads and bodies by
//! itself, and refuses what is wrong with them. What is not understood here is passed on as it is.

/// A head that is longer than this is refused by the HTTP library.
const MAX_HEAD_BYTES: usize = 128 * 1024;

/// Follows the bytes of a connection.
#[derive(Debug)]
pub(super) enum Framing {
    /// In a head, or before one; the part of it that has come, if it did not come at once.
    Head(Vec<u8>),
    /// In a body with so many bytes left.
    Body(u64),
    /// In a chunked body.
    Chunked(Chunk),
    /// In something else than requests: another protocol, or what the library will refuse.
    Opaque,
}

/// A place in a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunk {
    /// In a line with a size, of which so much was read.
    Size(u64),
    /// Behind the size, in an extension.
    Extension(u64),
    /// In data with so many bytes left, the line break behind it included.
    Data(u64),
    /// In the trailer section; whether the line is empty so far.
    Trailer { is_empty: bool },
}

/// Where some bytes of a chunked body lead.
enum ChunkStep {
    Next(Chunk),
    End,
    /// It is no chunked body.
    Broken,
}

impl Default for Framing {
    fn default() -> Self {
        Self::Head(Vec::new())
    }
}

impl Framing {
    /// How many of `bytes` belong to the present request, and whether it ends with them.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            let (count, is_whole) = self.step(rest);
            taken += count;
            if is_whole {
                *self = Self::default();
                return (taken, true);
            }
        }
        (taken, false)
    }

    fn step(&mut self, bytes: &[u8]) -> (usize, bool) {
        match self {
            Self::Head(part) => {
                let (count, next) = take_head(part, bytes);
                match next {
                    None => (count, false),
                    Some(Self::Body(0)) => (count, true),
                    Some(next) => {
                        *self = next;
                        (count, false)
                    }
                }
            }
            Self::Body(left) => {
                let count =
                    usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                *left -= count as u64;
                (count, *left == 0)
            }
            Self::Chunked(chunk) => match chunk.next(bytes) {
                (count, ChunkStep::Next(next)) => {
                    *chunk = next;
                    (count, false)
                }
                (count, ChunkStep::End) => (count, true),
                (count, ChunkStep::Broken) => {
                    *self = Self::Opaque;
                    (count, false)
                }
            },
            Self::Opaque => (bytes.len(), false),
        }
    }
}

/// How many of `bytes` belong to a head of which `part` has come, and what follows it if it ends.
fn take_head(part: &mut Vec<u8>, bytes: &[u8]) -> (usize, Option<Framing>) {
    if part.is_empty() {
        // Empty lines before a request are skipped (RFC 9112 section 2.2).
        let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if blank > 0 {
            return (blank, None);
        }
        if let Some(end) = end_of_head(bytes, 0) {
            return (end, Some(after_head(bytes.get(..end).unwrap_or_default())));
        }
    }
    let before = part.len();
    part.extend_from_slice(bytes);
    // The line breaks may have come apart.
    match end_of_head(part, before.saturating_sub(3)) {
        Some(end) => {
            let framing = after_head(part.get(..end).unwrap_or_default());
            (end - before, Some(framing))
        }
        None if part.len() > MAX_HEAD_BYTES => (bytes.len(), Some(Framing::Opaque)),
        None => (bytes.len(), None),
    }
}

/// The end of the first empty line at `from` or later.
fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.iter().enumerate().filter(|(_, byte)| **byte == b'\n').find_map(|(at, _)| {
        match rest.get(at + 1..)? {
            [b'\n', ..] => Some(from + at + 2),
            [b'\r', b'\n', ..] => Some(from + at + 3),
            _ => None,
        }
    })
}

/// What follows a head.
fn after_head(head: &[u8]) -> Framing {
    let mut lines = head.split(|byte| *byte == b'\n');
    let is_tunnel = lines.next().is_some_and(|line| line.starts_with(b"CONNECT "));
    let (mut length, mut is_chunked) = (None, false);
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            let parsed = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
            // Two lengths, or one that is none, are refused by the library.
            let (None, Some(parsed)) = (length, parsed) else { return Framing::Opaque };
            length = Some(parsed);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Framing::Opaque;
            }
            is_chunked = true;
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            return Framing::Opaque;
        }
    }
    match (length, is_chunked) {
        _ if is_tunnel => Framing::Opaque,
        (Some(_), true) => Framing::Opaque,
        (None, true) => Framing::Chunked(Chunk::Size(0)),
        (length, false) => Framing::Body(length.unwrap_or(0)),
    }
}

impl Chunk {
    /// How many bytes are taken, and where they lead.
    fn next(self, bytes: &[u8]) -> (usize, ChunkStep) {
        let Some(&first) = bytes.first() else { return (0, ChunkStep::Next(self)) };
        let next = match (self, first) {
            (Self::Data(left), _) => {
                let count = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                let left = left - count as u64;
                let next = if left == 0 { Self::Size(0) } else { Self::Data(left) };
                return (count, ChunkStep::Next(next));
            }
            (Self::Size(0) | Self::Extension(0), b'\n') => Self::Trailer { is_empty: true },
            // The line break behind the data belongs to it.
            (Self::Size(size) | Self::Extension(size), b'\n') => Self::Data(size.saturating_add(2)),
            (Self::Size(size), digit) if digit.is_ascii_hexdigit() => {
                let value = char::from(digit).to_digit(16).map_or(0, u64::from);
                match size.checked_mul(16).and_then(|size| size.checked_add(value)) {
                    Some(size) => Self::Size(size),
                    None => return (1, ChunkStep::Broken),
                }
            }
            (Self::Size(size) | Self::Extension(size), _) => Self::Extension(size),
            (Self::Trailer { is_empty: true }, b'\n') => return (1, ChunkStep::End),
            (Self::Trailer { .. }, b'\n') => Self::Trailer { is_empty: true },
            (Self::Trailer { is_empty }, b'\r') => Self::Trailer { is_empty },
            (Self::Trailer { .. }, _) => Self::Trailer { is_empty: false },
        };
        (1, ChunkStep::Next(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REQUESTS: [&str; 7] = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nGET /a HTTP/1.1\nHost: a\n\n",
        "POST /alerts HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST /alerts HTTP/1.1\r\nHost: a\r\ncontent-length:4\r\n\r\n\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\nX: y\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    ];

    #[test]
    fn what_is_not_understood_is_passed_on_as_it_is() {
        for head in [
            "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
            "CONNECT a:1 HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        ] {
            let bytes = [head.as_bytes(), b"anything\r\n\r\nat all"].concat();
            assert_eq!(Framing::default().take(&bytes), (bytes.len(), false), "{head:?}");
        }
        let endless = vec![b'x'; MAX_HEAD_BYTES + 1];
        let mut framing = Framing::default();
        framing.take(&endless);
        assert!(matches!(framing, Framing::Opaque));
    }

    proptest! {
        #[test]
        fn requests_are_told_apart_however_their_bytes_come(
            chosen in proptest::collection::vec(0..REQUESTS.len(), 1..6),
            cuts in proptest::collection::vec(1..40_usize, 1..20),
        ) {
            let requests: Vec<_> = chosen.iter().map(|n| REQUESTS[*n].as_bytes()).collect();
            let stream = requests.concat();
            let mut ends = Vec::new();
            let (mut framing, mut at) = (Framing::default(), 0);
            let mut cuts = cuts.into_iter().cycle();
            while at < stream.len() {
                let piece = &stream[at..stream.len().min(at + cuts.next().unwrap())];
                let (taken, is_whole) = framing.take(piece);
                prop_assert!(taken > 0 || piece.is_empty());
                at += taken;
                if is_whole {
                    ends.push(at);
                } else {
                    prop_assert_eq!(taken, piece.len());
                }
            }
            let lengths = requests.iter().scan(0, |end, request| {
                *end += request.len();
                Some(*end)
            });
            prop_assert_eq!(ends, lengths.collect::<Vec<_>>());
        }

        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut framing = Framing::default();
            let (taken, _) = framing.take(&bytes);
            prop_assert!(taken <= bytes.len());
        }
    }
}
