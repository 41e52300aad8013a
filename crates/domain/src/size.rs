//! Roughly how many bytes an event takes on the wire: what bounds pages and batches.
//!
//! Only texts vary, so only they are counted; names of members, ids and moments are a constant.
//! Escapes in JSON can at most double the count.

use crate::{
    Alert, AlertEvent, ChatMessage, Command, DedupKey, Event, HttpUrl, Labels, Notes, PostMessage,
    RaiseAlert, Source,
};

/// Everything of an alert that is no text of its sender.
const ALERT_BASE: usize = 512;
/// Everything of a chat message that is no text of its sender.
const MESSAGE_BASE: usize = 256;
/// An alert that an action changes is written anew, with its texts and notes: more than most have,
/// and less than the largest.
const CHANGED_ALERT: usize = 16 * 1024;

impl Alert {
    /// Roughly how many bytes it takes on the wire.
    pub fn approximate_bytes(&self) -> usize {
        let texts = [
            Some(self.message.as_str()),
            Some(self.location.as_str()),
            self.source.as_ref().map(Source::as_str),
            self.url.as_ref().map(HttpUrl::as_str),
            self.dedup_key.as_ref().map(DedupKey::as_str),
            self.status.acknowledged().map(|mark| mark.by.as_str()),
            self.status.resolved().map(|mark| mark.by.as_str()),
        ];
        let texts: usize = texts.into_iter().flatten().map(str::len).sum();
        ALERT_BASE + texts + bytes_of_labels(&self.labels) + bytes_of_notes(&self.notes)
    }
}

impl ChatMessage {
    /// Roughly how many bytes it takes on the wire.
    pub fn approximate_bytes(&self) -> usize {
        MESSAGE_BASE + self.message.as_str().len() + self.sender.as_str().len()
    }
}

impl Event {
    /// Roughly how many bytes it takes on the wire.
    pub fn approximate_bytes(&self) -> usize {
        match self {
            Self::Alert(AlertEvent { alert, .. }) => alert.approximate_bytes(),
            Self::Chat(message) => message.approximate_bytes(),
        }
    }
}

impl Command {
    /// Roughly how many bytes the event takes to which it leads.
    pub fn approximate_bytes(&self) -> usize {
        match self {
            Self::RaiseAlert(RaiseAlert { message, location, labels, .. }) => {
                let texts = message.as_str().len() + location.as_str().len();
                ALERT_BASE + texts + bytes_of_labels(labels)
            }
            Self::PostMessage(PostMessage { message, sender, .. }) => {
                MESSAGE_BASE + message.as_str().len() + sender.as_str().len()
            }
            Self::ActOnAlert(_) => CHANGED_ALERT,
        }
    }
}

fn bytes_of_labels(labels: &Labels) -> usize {
    let labels = labels.as_slice().iter();
    labels.map(|label| label.name.as_str().len() + label.value.as_str().len()).sum()
}

fn bytes_of_notes(notes: &Notes) -> usize {
    let notes = notes.as_slice().iter();
    notes.map(|note| note.by.as_str().len() + note.text.as_str().len()).sum()
}
