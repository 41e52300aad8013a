//! A chat message: what an operator said beside the alerts, in the same order for everyone.

use crate::{AlertId, MessageText, SearchText, Sender, Timestamp};
use uuid::Uuid;

/// The identity of a chat message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub Uuid);

/// One chat message. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    /// Its identity, drawn by the store.
    pub id: MessageId,
    /// Who said it.
    pub sender: Sender,
    /// What was said.
    pub message: MessageText,
    /// The alert that it is about, if it belongs to the thread of one.
    pub alert_id: Option<AlertId>,
    /// When it was kept.
    pub sent_at: Timestamp,
}

impl ChatMessage {
    /// What a search looks through: the message and its sender.
    pub fn search_text(&self) -> SearchText {
        SearchText::of([self.message.as_str(), self.sender.as_str()])
    }
}
