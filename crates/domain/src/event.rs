//! What has happened. Events are kept, ordered and sent; they are never edited.

use crate::named::named;
use crate::{Alert, ChatMessage, NoteText, Operator, Position, Timestamp};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "alerts are what events mostly are")]
pub enum Event {
    /// An alert was raised or changed.
    Alert(AlertEvent),
    /// An operator said something.
    Chat(ChatMessage),
}

impl Event {
    /// When it happened.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Alert(event) => event.alert.updated_at,
            Self::Chat(message) => message.sent_at,
        }
    }
}

/// A step in the life of one alert. It carries the whole state after the step, so that whoever
/// reads the log (a socket, a page of history, another store) needs nothing else to show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertEvent {
    /// What happened to the alert.
    pub change: AlertChange,
    /// The alert as it stands afterwards.
    pub alert: Alert,
    /// Who did it, if it was an operator.
    pub by: Option<Operator>,
    /// What there was to say about it.
    pub note: Option<NoteText>,
}

impl AlertEvent {
    /// An alert comes into being.
    pub const fn raised(alert: Alert) -> Self {
        Self { change: AlertChange::Raised, alert, by: None, note: None }
    }
}

named! {
    /// The steps that an alert's life can take.
    pub enum AlertChange {
        /// It came into being.
        Raised = "raised",
        /// It was raised again.
        Repeated = "repeated",
        /// Somebody took it on.
        Acknowledged = "acknowledged",
        /// Somebody gave it back.
        Unacknowledged = "unacknowledged",
        /// It is over.
        Resolved = "resolved",
        /// It is not over after all.
        Reopened = "reopened",
        /// Somebody wrote a note.
        Annotated = "annotated",
    }
}

/// Something together with the place in the log where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positioned<T> {
    /// The position of the event; for an alert or a message, that of the event that began it.
    pub position: Position,
    /// What stands there.
    pub value: T,
}
