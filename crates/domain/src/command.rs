//! What somebody wants to happen. A command may be refused; an event has happened.

use crate::{AlertId, Location, MessageText, Sender, Source};

/// A wish, already parsed: every text in it is within its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Something happened somewhere.
    RaiseAlert(RaiseAlert),
    /// An operator says something.
    PostMessage(PostMessage),
}

/// What an alert is raised with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaiseAlert {
    /// What happened.
    pub message: MessageText,
    /// Where it happened.
    pub location: Location,
    /// Which system says so.
    pub source: Option<Source>,
}

/// What a chat message is posted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostMessage {
    /// Who says it.
    pub sender: Sender,
    /// What is said.
    pub message: MessageText,
}

impl Command {
    /// The alert whose state decides this command: the one that a store loads before it calls
    /// [`decide`](crate::decide). What makes something new has none: ids are drawn at random from
    /// so many that no store needs to look whether one is taken.
    pub fn subject(&self) -> Option<AlertId> {
        match self {
            Self::RaiseAlert(_) | Self::PostMessage(_) => None,
        }
    }
}
