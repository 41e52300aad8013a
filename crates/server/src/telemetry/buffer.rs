//! The lines that wait to be written, bounded in number and in bytes.

use std::collections::VecDeque;

/// The most lines that wait.
const MAX_LINES: usize = 1_024;
/// The most bytes of all lines that wait.
const MAX_BYTES: usize = 256 * 1024;
/// The most bytes of one line, its line break included.
const MAX_LINE_BYTES: usize = 4 * 1024;

/// The end of a line that was cut.
const CUT: &str = "…\n";

/// A queue of lines that never grows beyond its bounds. Once it is full, lines are dropped until
/// the queue has been emptied, and one entry then says how many. Accepting lines earlier would give
/// a slow reader one such entry for nearly every line.
#[derive(Debug, Default)]
pub(super) struct LineBuffer {
    lines: VecDeque<String>,
    bytes: usize,
    /// Lines dropped since the last line that was accepted.
    dropped: u64,
}

/// What is to be written next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// One line, with its line break.
    Line(String),
    /// How many lines were dropped here.
    Dropped(u64),
}

impl LineBuffer {
    /// Accepts `line`, cut to its first 4 KiB, or counts it as dropped.
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

    /// Takes the oldest entry.
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

/// `line` with a line break at its end, and not longer than a line may be.
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
    fn lines_come_out_in_order_each_with_one_line_break() {
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
        assert_eq!(drain(&mut buffer), [line("y\n")], "the count begins again");
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
    fn after_a_drop_nothing_is_accepted_until_the_reader_has_caught_up() {
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
    fn a_long_line_is_cut_at_the_boundary_of_a_character() {
        for text in ["x".repeat(MAX_LINE_BYTES), "ä".repeat(10_000), "€".repeat(10_000)] {
            let cut = cut(&text);
            assert!(cut.len() <= MAX_LINE_BYTES && cut.len() > MAX_LINE_BYTES - 8);
            assert!(cut.ends_with(CUT));
        }
        let fits = "x".repeat(MAX_LINE_BYTES - 1) + "\n";
        assert_eq!(cut(&fits), fits);
    }
}
