//! What operators noted about one alert: the newest of it.

use crate::{NoteText, Operator, Timestamp};
use std::sync::Arc;

/// One note. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Who wrote it.
    pub by: Operator,
    /// What it says.
    pub text: NoteText,
    /// When it was kept.
    pub at: Timestamp,
}

/// The newest notes of an alert, oldest first. Every event carries them, so there are few: longer
/// talk belongs to the alert's thread of messages. Cloning shares them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notes {
    /// Nothing is allocated for an alert without any.
    held: Option<Arc<[Note]>>,
    dropped: u64,
}

impl Notes {
    /// The most notes that stay with an alert; the oldest make room.
    pub const MAX: usize = 20;

    /// The newest of `notes`, before which `dropped` others were there.
    pub fn new(notes: Vec<Note>, dropped: u64) -> Self {
        let excess = notes.len().saturating_sub(Self::MAX);
        let dropped = dropped.saturating_add(excess as u64);
        let held: Arc<[Note]> = notes.into_iter().skip(excess).collect();
        Self { held: (!held.is_empty()).then_some(held), dropped }
    }

    /// The same with one more.
    #[must_use]
    pub fn with(&self, note: Note) -> Self {
        let notes = self.as_slice().iter().cloned().chain([note]).collect();
        Self::new(notes, self.dropped)
    }

    /// The notes, oldest first.
    pub fn as_slice(&self) -> &[Note] {
        self.held.as_deref().unwrap_or_default()
    }

    /// How many older ones have made room.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_note_makes_room_and_is_counted() {
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
