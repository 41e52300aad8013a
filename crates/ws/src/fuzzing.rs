//! Access to the frame scanner for the fuzz targets in `tests/fuzz`, outside this workspace.

use crate::scanner::{FrameScanner, Violation};

/// Result of the scan of a stream.
#[derive(Debug, PartialEq, Eq)]
pub struct ScanReport {
    /// Offsets in bytes where the valid frames end.
    pub ends: Vec<usize>,
    /// Close code of the violation that followed these frames, if there was one.
    pub code: Option<u16>,
    /// Whether the last byte of the stream ended a Close frame, with or without an earlier
    /// violation.
    pub after_close: bool,
}

/// Scans a stream that arrives in chunks of these lengths, with the rest in one last chunk.
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
                    assert!(
                        passed.len > 0,
                        "a scan without a violation consumes at least one byte"
                    );
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
