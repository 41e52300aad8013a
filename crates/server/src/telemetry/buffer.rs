//! The queue of lines that wait to be written, bounded in number and in bytes.

use std::collections::VecDeque;

/// Upper bound of waiting lines.
const MAX_LINES: usize = 1_024;
/// Upper bound of bytes of all waiting lines.
const MAX_BYTES: usize = 256 * 1024;
/// Upper bound of bytes of one line, its line break included.
const MAX_LINE_BYTES: usize = 4 * 1024;

/// End of a truncated line.
const CUT: &str = "…\n";

/// A queue of lines that never grows beyond its bounds. When it is full, new lines are dropped
/// until the queue is empty, and one entry then reports their number. If the queue accepted new
/// lines as soon as it had free space, a slow reader would get such an entry for nearly every line.
#[derive(Debug, Default)]
pub(super) struct LineBuffer {
    lines: VecDeque<String>,
    bytes: usize,
    /// Number of lines that were dropped since a line was last accepted.
    dropped: u64,
}

/// The next item to write.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// One line, with its line break.
    Line(String),
    /// Number of lines that were dropped between the previous line and the next one.
    Dropped(u64),
}

impl LineBuffer {
    /// Adds `line`, truncated to 4 KiB, or counts it as dropped.
    pub(super) fn push(&mut self, line: &str) {
        let line = cut(line);
        let full = self.lines.len() >= MAX_LINES || self.bytes + line.len() > MAX_BYTES;
        if full || self.dropped > 0 {
            self.dropped += 1;
            return;
        }
        self.bytes += line.len();
        self.lines.push_back(line);
    }

    /// Removes and returns the oldest entry.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        if let Some(line) = self.lines.pop_front() {
            self.bytes -= line.len();
            return Some(Entry::Line(line));
        }
        let dropped = std::mem::take(&mut self.dropped);
        (dropped > 0).then_some(Entry::Dropped(dropped))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.dropped == 0
    }
}

/// Returns `line` with a line break at its end, truncated to [`MAX_LINE_BYTES`].
fn cut(line: &str) -> String {
    let text = line.strip_suffix('\n').unwrap_or(line);
    if text.len() < MAX_LINE_BYTES {
        return [text, "\n"].concat();
    }
    let kept = text.floor_char_boundary(MAX_LINE_BYTES - CUT.len());
    text.get(..kept).map(|kept| [kept, CUT].concat()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(buffer: &mut LineBuffer) -> Vec<Entry> {
        std::iter::from_fn(|| buffer.pop()).collect()
    }

    fn line(text: &str) -> Entry {
        Entry::Line(text.to_owned())
    }

    #[test]
    fn lines_are_returned_in_order_each_with_one_line_break() {
        let mut buffer = LineBuffer::default();
        assert!(buffer.is_empty());
        buffer.push("a\n");
        buffer.push("b");
        assert!(!buffer.is_empty());
        assert_eq!(drain(&mut buffer), [line("a\n"), line("b\n")]);
        assert!(buffer.is_empty());
    }

    #[test]
    fn more_lines_than_fit_are_dropped_and_counted() {
        let mut buffer = LineBuffer::default();
        for _ in 0..MAX_LINES + 7 {
            buffer.push("x\n");
        }
        let entries = drain(&mut buffer);
        assert_eq!(entries.len(), MAX_LINES + 1);
        assert_eq!(entries.last(), Some(&Entry::Dropped(7)));
        buffer.push("y\n");
        assert_eq!(drain(&mut buffer), [line("y\n")], "the count restarts");
    }

    #[test]
    fn more_bytes_than_fit_are_dropped_and_counted() {
        let mut buffer = LineBuffer::default();
        let long = "x".repeat(MAX_LINE_BYTES);
        for _ in 0..MAX_BYTES / MAX_LINE_BYTES + 3 {
            buffer.push(&long);
        }
        assert!(buffer.bytes <= MAX_BYTES);
        assert_eq!(drain(&mut buffer).last(), Some(&Entry::Dropped(3)));
        assert_eq!(buffer.bytes, 0);
    }

    #[test]
    fn after_a_drop_no_line_is_accepted_until_the_queue_is_empty() {
        let mut buffer = LineBuffer::default();
        for _ in 0..=MAX_LINES {
            buffer.push("x");
        }
        assert_eq!(buffer.pop(), Some(line("x\n")));
        buffer.push("late");
        let entries = drain(&mut buffer);
        assert_eq!(entries.len(), MAX_LINES);
        assert_eq!(entries.last(), Some(&Entry::Dropped(2)));
    }

    #[test]
    fn a_long_line_is_truncated_at_a_character_boundary() {
        for text in ["x".repeat(MAX_LINE_BYTES), "ä".repeat(10_000), "€".repeat(10_000)] {
            let cut = cut(&text);
            assert!(cut.len() <= MAX_LINE_BYTES && cut.len() > MAX_LINE_BYTES - 8);
            assert!(cut.ends_with(CUT));
        }
        let fits = "x".repeat(MAX_LINE_BYTES - 1) + "\n";
        assert_eq!(cut(&fits), fits);
    }
}
