//! Events: changes that have happened. Events are stored, ordered and sent. A stored event never
//! changes.

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

/// A change of one alert, with the complete state of the alert after the change. A reader of the
/// log (a socket, a page of history, another store) can show the alert without any other event.
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
        /// The alert was raised for the first time.
        Raised = "raised",
        /// The alert was raised again.
        Repeated = "repeated",
        /// An operator became the owner of the alert.
        Acknowledged = "acknowledged",
        /// The owner of the alert was removed.
        Unacknowledged = "unacknowledged",
        /// The alert was resolved.
        Resolved = "resolved",
        /// The alert was resolved and is open again.
        Reopened = "reopened",
        /// An operator added a note.
        Annotated = "annotated",
    }
}

/// A value with its position in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positioned<T> {
    /// Position of the event; for an alert or a message, the position of the event that created the
    /// alert or the message.
    pub position: Position,
    /// The event, alert or message at this position.
    pub value: T,
}
