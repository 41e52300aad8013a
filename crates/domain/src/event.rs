//! What has happened. Events are kept, ordered and sent; they are never edited.

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

/// The steps that an alert's life can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertChange {
    /// It came into being.
    Raised,
    /// It was raised again.
    Repeated,
    /// Somebody took it on.
    Acknowledged,
    /// Somebody gave it back.
    Unacknowledged,
    /// It is over.
    Resolved,
    /// It is not over after all.
    Reopened,
    /// Somebody wrote a note.
    Annotated,
}

impl AlertChange {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Raised,
        Self::Repeated,
        Self::Acknowledged,
        Self::Unacknowledged,
        Self::Resolved,
        Self::Reopened,
        Self::Annotated,
    ];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Repeated => "repeated",
            Self::Acknowledged => "acknowledged",
            Self::Unacknowledged => "unacknowledged",
            Self::Resolved => "resolved",
            Self::Reopened => "reopened",
            Self::Annotated => "annotated",
        }
    }

    /// The change that is called `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.name() == name)
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
