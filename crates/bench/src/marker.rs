//! The marker in each alert's text. Receivers identify an alert by its marker, without a JSON
//! parser.
//!
//! A marker is `b:`, and then the run, the publisher, the number and the microsecond at which the
//! alert was due, each in base 36 with a fixed width. A marker has 19 characters, and an alert with
//! a marker fits into a frame of 200 bytes.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::clock::Nanos;

const RUN_DIGITS: usize = 3;
const PUBLISHER_DIGITS: usize = 2;
/// Enough for 60 million alerts per publisher.
const SEQ_DIGITS: usize = 5;
/// Enough for 21 hours in microseconds.
const DUE_DIGITS: usize = 7;
const PREFIX_LEN: usize = 2 + RUN_DIGITS;

/// Length of a marker in bytes. A shorter text cannot contain one.
pub(crate) const MIN_TEXT: usize = PREFIX_LEN + PUBLISHER_DIGITS + SEQ_DIGITS + DUE_DIGITS;

/// Identifies an alert of a run, and contains the time at which the alert was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) publisher: u32,
    /// Number of the alert, counted from zero for each publisher.
    pub(crate) seq: u32,
    /// Time at which the alert should be sent, not the actual time: a late sender's delay counts as
    /// latency.
    pub(crate) due: Nanos,
}

/// Prefix that distinguishes the alerts of one phase from all others.
#[derive(Clone, Debug)]
pub(crate) struct Run([u8; PREFIX_LEN]);

impl Run {
    /// Returns a prefix that no other phase of this process uses. Another process most probably
    /// uses other prefixes.
    pub(crate) fn begin() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = process::id().wrapping_mul(251).wrapping_add(count);
        let mut prefix = *b"b:000";
        if let Some(digits) = prefix.last_chunk_mut::<RUN_DIGITS>() {
            write_digits(id.into(), digits);
        }
        Self(prefix)
    }

    /// Writes the marker at the start of `text`, and fills the rest of `text` with `x`.
    pub(crate) fn write(&self, marker: Marker, text: &mut [u8]) {
        text.fill(b'x');
        let fields = [
            (u64::from(marker.publisher), PUBLISHER_DIGITS),
            (u64::from(marker.seq), SEQ_DIGITS),
            (marker.due / 1000, DUE_DIGITS),
        ];
        let Some((prefix, mut rest)) = text.split_first_chunk_mut() else {
            return;
        };
        *prefix = self.0;
        for (value, width) in fields {
            let Some((field, after)) = rest.split_at_mut_checked(width) else {
                return;
            };
            write_digits(value, field);
            rest = after;
        }
    }
}

/// Finds a run's markers in frames.
#[derive(Debug)]
pub(crate) struct Finder {
    prefix: [u8; PREFIX_LEN],
    /// Offset of the last marker. Frames of one server have the same layout, so the next marker is
    /// nearly always at the same offset.
    hint: usize,
}

impl Finder {
    pub(crate) fn new(run: &Run) -> Self {
        Self { prefix: run.0, hint: 0 }
    }

    /// Returns the marker in this frame; `None` if the frame contains no alert of the run.
    pub(crate) fn find(&mut self, payload: &[u8]) -> Option<Marker> {
        let hinted = payload.get(self.hint..).and_then(|rest| rest.strip_prefix(&self.prefix));
        if let Some(rest) = hinted {
            return parse(rest);
        }
        let at = payload.windows(PREFIX_LEN).position(|window| window == self.prefix)?;
        self.hint = at;
        parse(payload.get(at + PREFIX_LEN..)?)
    }
}

fn parse(bytes: &[u8]) -> Option<Marker> {
    let (publisher, rest) = number::<PUBLISHER_DIGITS>(bytes)?;
    let (seq, rest) = number::<SEQ_DIGITS>(rest)?;
    let (due, _) = number::<DUE_DIGITS>(rest)?;
    Some(Marker {
        publisher: u32::try_from(publisher).ok()?,
        seq: u32::try_from(seq).ok()?,
        due: due * 1000,
    })
}

/// Parses a number of `DIGITS` digits, and returns it with the bytes after it.
fn number<const DIGITS: usize>(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (digits, rest) = bytes.split_first_chunk::<DIGITS>()?;
    let mut value = 0;
    for digit in digits {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'z' => digit - b'a' + 10,
            _ => return None,
        };
        value = value * 36 + u64::from(digit);
    }
    Some((value, rest))
}

/// Writes the low digits of a number, as many as `digits` has bytes.
fn write_digits(mut value: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        let low = u8::try_from(value % 36).unwrap_or(0);
        *digit = if low < 10 { b'0' + low } else { b'a' + low - 10 };
        value /= 36;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKER: Marker = Marker { publisher: 7, seq: 1234, due: 98_765_432_000 };

    fn frame(run: &Run, before: &str) -> Vec<u8> {
        let mut text = [0; MIN_TEXT];
        run.write(MARKER, &mut text);
        [before.as_bytes(), b"\"message\":\"", &text, b"\"}"].concat()
    }

    #[test]
    fn a_marker_is_found_at_any_offset() {
        let run = Run::begin();
        let mut finder = Finder::new(&run);
        for before in ["{", "{\"id\":\"1\",", "{", "{"] {
            assert_eq!(finder.find(&frame(&run, before)), Some(MARKER));
        }
    }

    #[test]
    fn frames_without_a_marker_of_this_run_are_ignored() {
        let mut finder = Finder::new(&Run::begin());
        assert_eq!(finder.find(&frame(&Run::begin(), "{")), None);
        assert_eq!(finder.find(b"{\"message\":\"Intruder detected\"}"), None);
        assert_eq!(finder.find(b""), None);
    }

    #[test]
    fn a_damaged_or_incomplete_marker_is_ignored() {
        let run = Run::begin();
        let mut text = [0; MIN_TEXT];
        run.write(MARKER, &mut text);
        let mut finder = Finder::new(&run);
        for end in 0..MIN_TEXT {
            assert_eq!(finder.find(&text[..end]), None, "cut to {end}");
        }
        for at in 0..MIN_TEXT {
            let mut damaged = text;
            damaged[at] = b'"';
            assert_eq!(finder.find(&damaged), None, "damaged at {at}");
        }
    }

    #[test]
    fn the_largest_value_of_every_field_can_be_read_back() {
        let run = Run::begin();
        let largest = Marker {
            publisher: 36_u32.pow(2) - 1,
            seq: 36_u32.pow(5) - 1,
            due: (36_u64.pow(7) - 1) * 1000,
        };
        let mut text = [0; 100];
        run.write(largest, &mut text);
        assert_eq!(Finder::new(&run).find(&text), Some(largest));
    }
}
