//! Scans the headers of client frames as they arrive, and stops before bytes that must not be
//! decoded.
//!
//! The decoder behind the scanner buffers a complete frame before it checks the frame's size, so a
//! header that declares a gigabyte must be rejected here. The scanner stores no frames: only one
//! header, a few numbers, and the payload of a Close frame.

/// Longest header of a masked frame in bytes: 2, 8 of length, 4 of mask (RFC 6455 section 5.2).
const HEADER_MAX: usize = 14;
/// Largest payload of a control frame in bytes (RFC 6455 section 5.5).
const CONTROL_MAX: u64 = 125;
/// Number of bytes of the size limit for which a message may have one fragment: a limit of 64 KiB
/// allows 1,024 fragments, and every limit allows one. Without a bound, many tiny fragments would
/// exhaust the server's memory.
const BYTES_PER_FRAGMENT: u64 = 64;

/// Reason why the rest of the stream must not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violation {
    /// A message exceeds the size limit, or has too many fragments.
    TooBig,
    /// The client does not follow RFC 6455.
    Protocol,
    /// The reason of a Close frame is not UTF-8. The decoder detects this too, but reports only an
    /// invalid Close frame.
    InvalidText,
}

/// Progress of one call of [`FrameScanner::scan`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// Number of bytes that may be decoded.
    pub(crate) len: usize,
    /// Whether the last of these bytes ends a frame.
    pub(crate) frame_ended: bool,
}

/// State of the scan of one client's stream.
#[derive(Debug)]
pub(crate) struct FrameScanner {
    max_message_bytes: u64,
    header: [u8; HEADER_MAX],
    place: Place,
    /// The current message, if its last fragment has not arrived.
    message: Option<Fragments>,
    /// Unmasked payload of the current Close frame, as far as it has arrived.
    close: Vec<u8>,
    /// Whether the stream is no longer decoded. The scanner then only finds the ends of frames.
    lenient: bool,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    /// Number of header bytes that have arrived.
    Header(usize),
    /// Number of payload bytes that are still to arrive.
    Payload(u64),
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
            place: Place::Header(0),
            message: None,
            close: Vec::new(),
            lenient: false,
        }
    }

    /// Finds the ends of frames in bytes that are not decoded. After this call the scanner reports
    /// no violations.
    pub(crate) fn skip(&mut self, mut chunk: &[u8]) {
        self.lenient = true;
        while !chunk.is_empty()
            && let Ok(scanned) = self.scan(chunk)
        {
            chunk = chunk.get(scanned.len..).unwrap_or_default();
        }
    }

    /// Returns whether the last byte ended a Close frame.
    pub(crate) fn is_after_close(&self) -> bool {
        matches!(self.place, Place::Header(0)) && self.opcode() == 0x8
    }

    /// Scans the next bytes of the stream, at most to the end of the current frame. After a
    /// violation, the scanner is again at the offset before these bytes.
    pub(crate) fn scan(&mut self, chunk: &[u8]) -> Result<Scanned, Violation> {
        let before = self.place;
        let scanned = self.follow(chunk);
        if scanned.is_err() {
            self.place = before;
        }
        scanned
    }

    fn follow(&mut self, chunk: &[u8]) -> Result<Scanned, Violation> {
        let mut bytes = chunk.iter();
        let left = loop {
            let header_len = match self.place {
                Place::Payload(left) => break left,
                Place::Header(header_len) => header_len,
            };
            let Some(byte) = bytes.next() else {
                return Ok(Scanned { len: chunk.len(), frame_ended: false });
            };
            if let Some(slot) = self.header.get_mut(header_len) {
                *slot = *byte;
            }
            self.enter(header_len + 1)?;
        };
        let payload = bytes.as_slice();
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(payload.len());
        let left = left - here as u64;
        if self.opcode() == 0x8 && !self.lenient {
            self.judge_close(payload.iter().take(here), left == 0)?;
        }
        self.place = if left == 0 { Place::Header(0) } else { Place::Payload(left) };
        Ok(Scanned { len: chunk.len() - payload.len() + here, frame_ended: left == 0 })
    }

    fn opcode(&self) -> u8 {
        let [first, ..] = self.header;
        first & 0x0F
    }

    /// Continues after `header_len` bytes of the header, and checks each field of the header once
    /// the field is complete.
    fn enter(&mut self, header_len: usize) -> Result<(), Violation> {
        self.place = Place::Header(header_len);
        let [first, second, extended @ ..] = self.header;
        if header_len == 1 {
            return if self.lenient { Ok(()) } else { self.judge_first(first) };
        }
        let (length_bytes, short) = match second & 0x7F {
            126 => (2, 0),
            127 => (8, 0),
            short => (0, u64::from(short)),
        };
        let masked = second & 0x80 != 0;
        if header_len == 2 && !self.lenient {
            let control = first & 0x08 != 0;
            if !masked || (control && (length_bytes > 0 || short > CONTROL_MAX)) {
                return Err(Violation::Protocol);
            }
        }
        if header_len < 2 + length_bytes {
            return Ok(());
        }
        let long = extended.iter().take(length_bytes);
        let length = long.fold(short, |sum, byte| (sum << 8) | u64::from(*byte));
        if header_len == 2 + length_bytes && !self.lenient {
            if length > i64::MAX.unsigned_abs() {
                return Err(Violation::Protocol);
            }
            self.judge_length(first, length)?;
        }
        if header_len == 2 + length_bytes + if masked { 4 } else { 0 } {
            self.place = Place::Payload(length);
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

    /// Stores the next payload bytes of a Close frame, and checks the reason after the last byte.
    fn judge_close<'a>(
        &mut self,
        payload: impl Iterator<Item = &'a u8>,
        last: bool,
    ) -> Result<(), Violation> {
        // The header of a control frame has the short form, so the mask follows after two bytes.
        let [_, _, mask @ ..] = self.header;
        let mask = mask.iter().take(4).cycle().skip(self.close.len() % 4);
        self.close.extend(payload.zip(mask).map(|(byte, mask)| byte ^ mask));
        if !last {
            return Ok(());
        }
        let close = std::mem::take(&mut self.close);
        match close.get(2..).map(str::from_utf8) {
            Some(Err(_)) => Err(Violation::InvalidText),
            Some(Ok(_)) | None => Ok(()),
        }
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

    /// Scans a stream that arrives in chunks of these lengths. Returns the offsets where valid
    /// frames end, and the violation that follows, if any.
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
                        assert!(len > 0, "a scan without a violation consumes at least one byte");
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

    /// Scans a stream that arrives in one chunk. A violation is returned with the offset where the
    /// last valid frame ends.
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
    fn a_violation_of_rfc_6455_is_found_at_its_frame() {
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
    fn a_message_is_too_big_as_soon_as_its_header_declares_it() {
        assert_eq!(scan(&frame(0x81, LIMIT + 1)[..4]), Err((0, Violation::TooBig)));
        let gigabyte = [&[0x82, 0xFF][..], &(1_u64 << 30).to_be_bytes()].concat();
        assert_eq!(scan(&gigabyte), Err((0, Violation::TooBig)));
        let halves = [frame(0x01, LIMIT / 2), frame(0x80, LIMIT / 2 + 1)].concat();
        assert!(matches!(scan(&halves), Err((_, Violation::TooBig))));
        let exact = [frame(0x01, LIMIT / 2), frame(0x80, LIMIT / 2), frame(0x81, LIMIT)].concat();
        assert_eq!(scan(&exact), Ok(()));
    }

    /// A masked Close frame with this reason.
    fn close(reason: &[u8]) -> Vec<u8> {
        let mask = [0xA5, 0x5A, 0x0F, 0xF1];
        let payload = [&[0x03, 0xE8], reason].concat();
        let masked = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        let length = 0x80 | u8::try_from(payload.len()).unwrap();
        [0x88, length].into_iter().chain(mask).chain(masked).collect()
    }

    #[test]
    fn the_reason_of_a_close_must_be_utf_8() {
        for reason in ["", "bye", "é", &"ß".repeat(61)] {
            let close = close(reason.as_bytes());
            for size in 1..=close.len() {
                let (ends, verdict) = scan_chunks(&close, vec![size; close.len()]);
                assert_eq!((ends, verdict), (vec![close.len()], Ok(())), "{reason}");
            }
        }
        for reason in [&b"\xff"[..], b"\xc3", b"ab\xed\xa0\x80", &[0x80; 123]] {
            let close = close(reason);
            for size in 1..=close.len() {
                let (ends, verdict) = scan_chunks(&close, vec![size; close.len()]);
                assert_eq!((ends, verdict), (vec![], Err(Violation::InvalidText)), "{reason:?}");
            }
        }
    }

    #[test]
    fn the_clients_close_is_found_after_a_violation() {
        let unmasked = vec![0xF3, 0x7E, 0x00, 0x80, 0x88].into_iter().chain([0x88; 127]).collect();
        for bad in [frame(0xC1, 300), frame(0x89, 126), unmasked, frame(0x82, LIMIT + 1)] {
            let violating = [frame(0x81, 3), bad].concat();
            for size in [1, 2, 3, 5, 7, 200, 5_000] {
                let mut scanner = FrameScanner::new(LIMIT);
                let mut rest = [violating.clone(), close(b"\xff")].concat();
                let mut chunks = rest.chunks(size);
                let mut chunk = chunks.next().unwrap();
                while let Ok(scanned) = scanner.scan(chunk) {
                    chunk = &chunk[scanned.len..];
                    if chunk.is_empty() {
                        chunk = chunks.next().expect("the stream contains a violation");
                    }
                }
                for chunk in [chunk].into_iter().chain(chunks) {
                    assert!(!scanner.is_after_close());
                    scanner.skip(chunk);
                }
                assert!(scanner.is_after_close(), "{violating:02x?} in chunks of {size}");
                rest = vec![0];
                scanner.skip(&rest);
                assert!(!scanner.is_after_close(), "a byte followed the Close");
            }
        }
    }

    #[test]
    fn endless_empty_fragments_are_too_big() {
        let endless = [frame(0x01, 0), vec![frame(0x00, 0); 500].concat()].concat();
        assert!(matches!(scan(&endless), Err((_, Violation::TooBig))));
    }

    /// First bytes of frames. Most of them are valid, so that many long streams have no violation.
    fn first_byte() -> impl Strategy<Value = u8> {
        prop_oneof![
            6 => prop::sample::select(vec![0x81_u8, 0x82, 0x88, 0x89, 0x8A, 0x01, 0x00, 0x80]),
            1 => any::<u8>(),
        ]
    }

    proptest! {
        /// Every division of a stream into chunks leads to the same frames and the same verdict.
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
        fn the_scanner_does_not_panic_on_any_bytes(stream: Vec<u8>) {
            let _ = scan(&stream);
        }
    }
}
