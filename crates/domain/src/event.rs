//! Events: changes that have happened. They are stored, ordered and sent, and never edited.

use crate::named::named;
use crate::{Alert, ChatMessage, NoteText, Operator, Position, Timestamp};

/// A change that has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "most events are alerts")]
pub enum Event {
    /// An alert was raised or changed.
    Alert(AlertEvent),
    /// An operator posted a chat message.
    Chat(ChatMessage),
}

impl Event {
    /// Returns the time of the event.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Alert(event) => event.alert.updated_at,
            Self::Chat(message) => message.sent_at,
        }
    }
}

/// A change of one alert. It contains the complete state after the change, so a reader of the log
/// (a socket, a page of history, another store) needs no other event to show the alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertEvent {
    /// Kind of change.
    pub change: AlertChange,
    /// Complete alert after the change.
    pub alert: Alert,
    /// Operator who made the change; `None` for a raise or a repeat.
    pub by: Option<Operator>,
    /// Note that the operator added with the change.
    pub note: Option<NoteText>,
}

impl AlertEvent {
    /// Creates the event of a first raise.
    pub const fn raised(alert: Alert) -> Self {
        Self { change: AlertChange::Raised, alert, by: None, note: None }
    }
}

named! {
    /// Kinds of change of an alert.
    pub enum AlertChange {
        /// It was raised for the first time.
        Raised = "raised",
        /// It was raised again.
        Repeated = "repeated",
        /// An operator became its owner.
        Acknowledged = "acknowledged",
        /// Its owner was removed.
        Unacknowledged = "unacknowledged",
        /// It was resolved.
        Resolved = "resolved",
        /// It was opened again after it was resolved.
        Reopened = "reopened",
        /// An operator added a note.
        Annotated = "annotated",
    }
}

/// A value with its position in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positioned<T> {
    /// Position of the event; for an alert or a message, the position of the event that created it.
    pub position: Position,
    /// The event, alert or message at this position.
    pub value: T,
}
