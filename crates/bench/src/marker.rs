//! The marker in each alert's text, `b:<run>:<publisher>:<seq>:<nanos>:`, by which receivers know it without parsing JSON.

use std::io::Write;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::clock::Nanos;

/// Room for every marker that a run of minutes can need.
pub(crate) const MIN_TEXT: usize = 48;

/// Which alert of a run this is, and when it was meant to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) publisher: u32,
    /// Rises by one from zero for each publisher.
    pub(crate) seq: u32,
    /// The intended moment, not the real one: a late sender's delay counts as latency.
    pub(crate) due: Nanos,
}

/// The prefix that sets one phase's alerts apart from all others.
#[derive(Clone, Debug)]
pub(crate) struct Run(Vec<u8>);

impl Run {
    /// A prefix that no other phase of this process and no other running process uses.
    pub(crate) fn begin() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(format!("b:{:x}-{count:x}:", process::id()).into_bytes())
    }

    /// Writes the marker at the start of `text` and fills the rest of it.
    pub(crate) fn write(&self, marker: Marker, text: &mut [u8]) {
        text.fill(b'x');
        let mut rest = text;
        // A text too short for its marker is cut, and shows as a foreign alert: nothing else can fail here.
        let _cut = rest.write_all(&self.0);
        let Marker { publisher, seq, due } = marker;
        let _cut = write!(rest, "{publisher}:{seq}:{due}:");
    }
}

/// Finds a run's markers in frames.
#[derive(Debug)]
pub(crate) struct Finder {
    prefix: Vec<u8>,
    /// Where the last marker was: frames of one server look alike, so it is nearly always there again.
    hint: usize,
}

impl Finder {
    pub(crate) fn new(run: &Run) -> Self {
        let prefix = run.0.clone();
        Self { prefix, hint: 0 }
    }

    /// The marker in this frame; `None` if the frame belongs to no alert of the run.
    pub(crate) fn find(&mut self, payload: &[u8]) -> Option<Marker> {
        let hinted =
            payload.get(self.hint..).and_then(|rest| rest.strip_prefix(self.prefix.as_slice()));
        if let Some(rest) = hinted {
            return parse(rest);
        }
        let at = payload.windows(self.prefix.len()).position(|window| window == self.prefix)?;
        self.hint = at;
        parse(payload.get(at + self.prefix.len()..)?)
    }
}

fn parse(bytes: &[u8]) -> Option<Marker> {
    let (publisher, rest) = number(bytes)?;
    let (seq, rest) = number(rest)?;
    let (due, _) = number(rest)?;
    Some(Marker { publisher: u32::try_from(publisher).ok()?, seq: u32::try_from(seq).ok()?, due })
}

/// A decimal number and what follows its colon.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'0'..=b'9' => value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?,
            b':' => return Some((value, rest)),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKER: Marker = Marker { publisher: 7, seq: 1234, due: 98_765_432_101 };

    fn frame(run: &Run, before: &str) -> Vec<u8> {
        let mut text = [0; MIN_TEXT];
        run.write(MARKER, &mut text);
        [before.as_bytes(), b"\"message\":\"", &text, b"\"}"].concat()
    }

    #[test]
    fn a_marker_is_found_wherever_it_stands() {
        let run = Run::begin();
        let mut finder = Finder::new(&run);
        for before in ["{", "{\"id\":\"1\",", "{", "{"] {
            assert_eq!(finder.find(&frame(&run, before)), Some(MARKER));
        }
    }

    #[test]
    fn frames_of_another_run_are_foreign() {
        let mut finder = Finder::new(&Run::begin());
        assert_eq!(finder.find(&frame(&Run::begin(), "{")), None);
        assert_eq!(finder.find(b"{\"message\":\"Intruder detected\"}"), None);
        assert_eq!(finder.find(b""), None);
    }

    #[test]
    fn a_damaged_marker_is_no_marker() {
        let run = Run::begin();
        let mut finder = Finder::new(&run);
        for damaged in
            ["7:1234:", "7:12x4:5:", "7::", "99999999999:1:2:", "7:1:99999999999999999999:"]
        {
            let frame = [run.0.as_slice(), damaged.as_bytes()].concat();
            let found = finder.find(&frame);
            assert_eq!(found, None, "{damaged}");
        }
    }

    #[test]
    fn the_longest_marker_of_an_hour_fits() {
        let run = Run(b"b:3fffff-fff:".to_vec());
        let longest = Marker { publisher: 9_999, seq: 99_999_999, due: 9_999_999_999_999 };
        let mut text = [0; MIN_TEXT];
        run.write(longest, &mut text);
        assert_eq!(Finder::new(&run).find(&text), Some(longest));
    }
}
