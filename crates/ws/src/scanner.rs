//! Reads the headers of client frames as they arrive, and finds what must not be decoded.
//!
//! The decoder behind it buffers a whole frame before it looks at its size, so a header that
//! declares a gigabyte must be stopped here. What is stopped here needs no buffer: the scanner
//! holds one header and three numbers.

/// The longest header of a masked frame: 2 bytes, 8 of length, 4 of mask (RFC 6455 section 5.2).
const HEADER_MAX: usize = 14;
/// The most payload of a control frame (RFC 6455 section 5.5).
const CONTROL_MAX: u64 = 125;
/// Fragments need not be large, but a message of many tiny ones is an attack on our memory: a
/// message may have one for each of this many bytes that it could have.
const BYTES_PER_FRAGMENT: u64 = 64;

/// Why the rest of the stream must not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violation {
    /// A message is larger than is taken, or comes in too many fragments.
    TooBig,
    /// The client does not follow RFC 6455.
    Protocol,
}

/// How far the scanner came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// This many bytes may be decoded.
    pub(crate) len: usize,
    /// They end with the end of a frame.
    pub(crate) frame_ended: bool,
}

/// The place in the stream of frames.
#[derive(Debug)]
pub(crate) struct FrameScanner {
    max_message_bytes: u64,
    header: [u8; HEADER_MAX],
    header_len: usize,
    /// Whether the header is complete, and this much of the payload is still to come.
    in_payload: bool,
    payload_left: u64,
    /// The message under way, if its last fragment has not come.
    message: Option<Fragments>,
}

#[derive(Debug, Clone, Copy)]
struct Fragments {
    count: u64,
    bytes: u64,
}

impl FrameScanner {
    pub(crate) fn new(max_message_bytes: usize) -> Self {
        Self {
            max_message_bytes: max_message_bytes as u64,
            header: [0; HEADER_MAX],
            header_len: 0,
            in_payload: false,
            payload_left: 0,
            message: None,
        }
    }

    /// Follows the next bytes of the stream, at most to the end of the frame under way. Of a frame
    /// that must not be decoded, nothing but a part of its header was followed.
    pub(crate) fn scan(&mut self, chunk: &[u8]) -> Result<Scanned, Violation> {
        let mut len = 0;
        for &byte in chunk {
            if self.in_payload {
                break;
            }
            if let Some(slot) = self.header.get_mut(self.header_len) {
                *slot = byte;
            }
            self.header_len += 1;
            len += 1;
            self.judge_header()?;
        }
        if !self.in_payload {
            return Ok(Scanned { len, frame_ended: false });
        }
        let here = usize::try_from(self.payload_left).unwrap_or(usize::MAX).min(chunk.len() - len);
        self.payload_left -= here as u64;
        let frame_ended = self.payload_left == 0;
        self.in_payload = !frame_ended;
        Ok(Scanned { len: len + here, frame_ended })
    }

    /// Judges the header as far as it is there, each part as soon as it can be.
    fn judge_header(&mut self) -> Result<(), Violation> {
        let [first, second, extended @ ..] = self.header;
        if self.header_len == 1 {
            return self.judge_first(first);
        }
        let (length_bytes, short) = match second & 0x7F {
            126 => (2, 0),
            127 => (8, 0),
            short => (0, u64::from(short)),
        };
        if self.header_len == 2 {
            let masked = second & 0x80 != 0;
            let control = first & 0x08 != 0;
            if !masked || (control && (length_bytes > 0 || short > CONTROL_MAX)) {
                return Err(Violation::Protocol);
            }
        }
        if self.header_len < 2 + length_bytes {
            return Ok(());
        }
        let long = extended.iter().take(length_bytes);
        let length = long.fold(short, |sum, byte| (sum << 8) | u64::from(*byte));
        if self.header_len == 2 + length_bytes {
            if length > i64::MAX.unsigned_abs() {
                return Err(Violation::Protocol);
            }
            self.judge_length(first, length)?;
        }
        if self.header_len == 2 + length_bytes + 4 {
            self.header_len = 0;
            self.in_payload = true;
            self.payload_left = length;
        }
        Ok(())
    }

    fn judge_first(&self, first: u8) -> Result<(), Violation> {
        let last = first & 0x80 != 0;
        let reserved = first & 0x70 != 0;
        let fits = match first & 0x0F {
            0x0 => self.message.is_some(),
            0x1 | 0x2 => self.message.is_none(),
            0x8..=0xA => last,
            _ => false,
        };
        if fits && !reserved { Ok(()) } else { Err(Violation::Protocol) }
    }

    fn judge_length(&mut self, first: u8, length: u64) -> Result<(), Violation> {
        if first & 0x08 != 0 {
            return Ok(());
        }
        let before = self.message.unwrap_or(Fragments { count: 0, bytes: 0 });
        let message =
            Fragments { count: before.count + 1, bytes: before.bytes.saturating_add(length) };
        let fragments_max = (self.max_message_bytes / BYTES_PER_FRAGMENT).max(1);
        if message.bytes > self.max_message_bytes || message.count > fragments_max {
            return Err(Violation::TooBig);
        }
        let last = first & 0x80 != 0;
        self.message = (!last).then_some(message);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 1_000;

    /// A masked frame with a mask of zeros.
    fn frame(first: u8, payload: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload {
            0..=125 => bytes.push(0x80 | u8::try_from(payload).unwrap()),
            126..=0xFFFF => {
                bytes.push(0x80 | 0x7E);
                bytes.extend(u16::try_from(payload).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 0x7F);
                bytes.extend((payload as u64).to_be_bytes());
            }
        }
        bytes.extend([0; 4]);
        bytes.resize(bytes.len() + payload, b'x');
        bytes
    }

    /// Scans a stream that comes in chunks of these lengths. Gives the ends of the frames that may
    /// be decoded, and what was found after them.
    fn scan_chunks(
        stream: &[u8],
        chunks: impl IntoIterator<Item = usize>,
    ) -> (Vec<usize>, Result<(), Violation>) {
        let mut scanner = FrameScanner::new(LIMIT);
        let mut ends = Vec::new();
        let mut at = 0;
        for length in chunks {
            let end = stream.len().min(at + length);
            while at < end {
                match scanner.scan(&stream[at..end]) {
                    Ok(Scanned { len, frame_ended }) => {
                        assert!(len > 0, "a scan that finds nothing wrong goes on");
                        at += len;
                        if frame_ended {
                            ends.push(at);
                        }
                    }
                    Err(violation) => return (ends, Err(violation)),
                }
            }
        }
        (ends, Ok(()))
    }

    /// Scans a stream that comes in one piece: where the last good frame ends, or what was found.
    fn scan(stream: &[u8]) -> Result<(), (usize, Violation)> {
        let (ends, verdict) = scan_chunks(stream, [stream.len()]);
        verdict.map_err(|violation| (ends.last().copied().unwrap_or(0), violation))
    }

    #[test]
    fn well_formed_frames_pass() {
        let fragmented = [frame(0x01, 10), frame(0x89, 125), frame(0x00, 0), frame(0x80, 10)];
        assert_eq!(scan(&fragmented.concat()), Ok(()));
        let lengths = [0, 1, 125, 126, 127, LIMIT].map(|length| frame(0x81, length));
        assert_eq!(scan(&lengths.concat()), Ok(()));
    }

    #[test]
    fn what_rfc_6455_forbids_is_found_at_its_frame() {
        let good = frame(0x81, 7);
        let unmasked = vec![0x81, 0x01, b'x'];
        for bad in [
            unmasked,
            frame(0xC1, 1),
            frame(0xA1, 1),
            frame(0x91, 1),
            frame(0x83, 1),
            frame(0x8F, 1),
            frame(0x09, 1),
            frame(0x08, 0),
            frame(0x89, 126),
            frame(0x80, 1),
            [&[0x81, 0xFF, 0x80][..], &[0; 12]].concat(),
        ] {
            let stream = [good.clone(), bad.clone()].concat();
            assert_eq!(scan(&stream), Err((good.len(), Violation::Protocol)), "{bad:02x?}");
        }
        let interleaved = [frame(0x01, 1), frame(0x81, 1)].concat();
        assert_eq!(scan(&interleaved), Err((frame(0x01, 1).len(), Violation::Protocol)));
    }

    #[test]
    fn a_message_is_too_big_as_soon_as_its_header_says_so() {
        assert_eq!(scan(&frame(0x81, LIMIT + 1)[..4]), Err((0, Violation::TooBig)));
        let gigabyte = [&[0x82, 0xFF][..], &(1_u64 << 30).to_be_bytes()].concat();
        assert_eq!(scan(&gigabyte), Err((0, Violation::TooBig)));
        let halves = [frame(0x01, LIMIT / 2), frame(0x80, LIMIT / 2 + 1)].concat();
        assert!(matches!(scan(&halves), Err((_, Violation::TooBig))));
        let exact = [frame(0x01, LIMIT / 2), frame(0x80, LIMIT / 2), frame(0x81, LIMIT)].concat();
        assert_eq!(scan(&exact), Ok(()));
    }

    #[test]
    fn endless_empty_fragments_end() {
        let endless = [frame(0x01, 0), vec![frame(0x00, 0); 500].concat()].concat();
        assert!(matches!(scan(&endless), Err((_, Violation::TooBig))));
    }

    /// Mostly what a client may send, so that long streams are reached.
    fn first_byte() -> impl Strategy<Value = u8> {
        prop_oneof![
            6 => prop::sample::select(vec![0x81_u8, 0x82, 0x89, 0x8A, 0x01, 0x00, 0x80]),
            1 => any::<u8>(),
        ]
    }

    proptest! {
        /// However a stream is cut into chunks, the same frames pass, and the verdict is the same.
        #[test]
        fn the_verdict_does_not_depend_on_the_chunks(
            frames in prop::collection::vec((first_byte(), 0_usize..300), 1..12),
            cuts in prop::collection::vec(1_usize..40, 1..400),
        ) {
            let frames: Vec<_> =
                frames.into_iter().map(|(first, length)| frame(first, length)).collect();
            let stream = frames.concat();
            let whole = scan_chunks(&stream, [stream.len()]);
            let ends = frames.iter().scan(0, |end, frame| {
                *end += frame.len();
                Some(*end)
            });
            prop_assert!(ends.zip(&whole.0).all(|(end, found)| end == *found));
            if whole.1.is_ok() {
                prop_assert_eq!(whole.0.len(), frames.len());
            }
            prop_assert_eq!(scan_chunks(&stream, cuts.into_iter().cycle().take(stream.len())), whole);
        }

        #[test]
        fn no_bytes_break_the_scanner(stream: Vec<u8>) {
            let _ = scan(&stream);
        }
    }
}
