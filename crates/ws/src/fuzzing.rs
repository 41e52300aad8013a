//! The frame guard's scanner for fuzz targets, which are not of this workspace: see `tests/fuzz`.

use crate::scanner::{FrameScanner, Violation};

/// What became of a stream.
#[derive(Debug, PartialEq, Eq)]
pub struct ScanReport {
    /// Where the frames end that may be decoded.
    pub ends: Vec<usize>,
    /// The close code for what came after them, if that was a violation.
    pub code: Option<u16>,
    /// Whether the stream's last byte was the end of a Close, the violation notwithstanding.
    pub after_close: bool,
}

/// Scans a stream that comes in chunks of these lengths, and then the rest of it in one.
pub fn scan(stream: &[u8], lengths: &[u8], max_message_bytes: usize) -> ScanReport {
    let mut scanner = FrameScanner::new(max_message_bytes);
    let mut outcome = ScanReport { ends: Vec::new(), code: None, after_close: false };
    let mut rest = stream;
    let mut lengths = lengths.iter().map(|length| usize::from(*length));
    while !rest.is_empty() {
        let (mut chunk, behind) =
            rest.split_at(lengths.next().unwrap_or(rest.len()).min(rest.len()));
        rest = behind;
        while !chunk.is_empty() && outcome.code.is_none() {
            match scanner.scan(chunk) {
                Ok(passed) => {
                    assert!(passed.len > 0, "a scan that finds nothing wrong goes on");
                    chunk = chunk.get(passed.len..).unwrap_or_default();
                    if passed.frame_ended {
                        outcome.ends.push(stream.len() - rest.len() - chunk.len());
                    }
                }
                Err(Violation::Protocol) => outcome.code = Some(1002),
                Err(Violation::InvalidText) => outcome.code = Some(1007),
                Err(Violation::TooBig) => outcome.code = Some(1009),
            }
        }
        if outcome.code.is_some() {
            scanner.skip(chunk);
        }
    }
    outcome.after_close = scanner.is_after_close();
    outcome
}
