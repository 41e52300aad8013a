//! What has happened. Events are kept, ordered and sent; they are never edited.

use crate::{Alert, ChatMessage, Position, Timestamp};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
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
            Self::Alert(AlertEvent { change: AlertChange::Raised, alert }) => alert.raised_at,
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
}

/// The steps that an alert's life can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertChange {
    /// It came into being.
    Raised,
}

/// Something together with the place in the log where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped<T> {
    /// The position of the event; for an alert or a message, that of the event that began it.
    pub position: Position,
    /// What stands there.
    pub value: T,
}
