//! Estimated sizes of events on the wire, in bytes. These estimates limit the size of pages and
//! batches.
//!
//! Only texts vary much in size, so only texts are counted, as UTF-8 without JSON escapes. Escapes
//! can at most double the size of a text. A constant covers member names, ids and timestamps.

use crate::{
    Alert, AlertEvent, ChatMessage, Command, DedupKey, Event, HttpUrl, Labels, Notes, PostMessage,
    RaiseAlert, Source,
};

/// Estimated bytes of an alert without the texts that the sender and the operators wrote.
const ALERT_BASE: usize = 512;
/// Estimated bytes of a chat message without its text and its sender.
const MESSAGE_BASE: usize = 256;
/// Estimated bytes of the event of an action. The event contains the complete alert with its texts
/// and notes. Most alerts are smaller than this estimate, and the largest alerts are larger.
const CHANGED_ALERT: usize = 16 * 1024;

impl Alert {
    /// Returns the estimated size on the wire, in bytes.
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
    /// Returns the estimated size on the wire, in bytes.
    pub fn approximate_bytes(&self) -> usize {
        MESSAGE_BASE + self.message.as_str().len() + self.sender.as_str().len()
    }
}

impl Event {
    /// Returns the estimated size on the wire, in bytes.
    pub fn approximate_bytes(&self) -> usize {
        match self {
            Self::Alert(AlertEvent { alert, .. }) => alert.approximate_bytes(),
            Self::Chat(message) => message.approximate_bytes(),
        }
    }
}

impl Command {
    /// Returns the estimated size of the event that the command results in, in bytes.
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
