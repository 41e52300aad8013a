//! The newest notes that operators wrote about one alert.

use crate::{NoteText, Operator, Timestamp};
use std::sync::Arc;

/// One note. A note never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Author of the note.
    pub by: Operator,
    /// Text of the note.
    pub text: NoteText,
    /// Time of the event that added the note.
    pub at: Timestamp,
}

/// Newest notes of an alert, oldest first. Every event of the alert contains these notes, so their
/// number is small. Longer discussions belong in the chat thread of the alert. Cloning shares the
/// notes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notes {
    /// `None` if there are no notes, so that an alert without notes allocates nothing.
    held: Option<Arc<[Note]>>,
    dropped: u64,
}

impl Notes {
    /// Maximum number of notes of an alert. If another note is added, the oldest note is dropped.
    pub const MAX: usize = 20;

    /// Creates the notes of an alert from the newest [`MAX`](Self::MAX) of `notes`. `dropped` is
    /// the number of older notes that were dropped earlier.
    pub fn new(notes: Vec<Note>, dropped: u64) -> Self {
        let excess = notes.len().saturating_sub(Self::MAX);
        let dropped = dropped.saturating_add(excess as u64);
        let held: Arc<[Note]> = notes.into_iter().skip(excess).collect();
        Self { held: (!held.is_empty()).then_some(held), dropped }
    }

    /// Returns a copy with one more note.
    #[must_use]
    pub fn with(&self, note: Note) -> Self {
        let notes = self.as_slice().iter().cloned().chain([note]).collect();
        Self::new(notes, self.dropped)
    }

    /// Returns the notes, oldest first.
    pub fn as_slice(&self) -> &[Note] {
        self.held.as_deref().unwrap_or_default()
    }

    /// Returns the number of older notes that were dropped.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_note_is_dropped_and_counted() {
        let mut notes = Notes::default();
        for n in 0..Notes::MAX + 3 {
            notes = notes.with(Note {
                by: Operator::parse("Anna").unwrap(),
                text: NoteText::parse(&n.to_string()).unwrap(),
                at: Timestamp::from_unix_micros(0),
            });
        }
        assert_eq!(notes.as_slice().len(), Notes::MAX);
        assert_eq!(notes.as_slice()[0].text.as_str(), "3");
        assert_eq!(notes.dropped(), 3);
    }
}
