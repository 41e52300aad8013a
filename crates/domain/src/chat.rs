//! A chat message of an operator. Chat messages and alerts share one log, so their order is the
//! same for every client.

use crate::{AlertId, MessageText, SearchText, Sender, Timestamp};
use uuid::Uuid;

/// Unique id of a chat message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub Uuid);

/// One chat message. A chat message never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    /// Unique id, assigned by the store.
    pub id: MessageId,
    /// Name of the author, as the client sent it.
    pub sender: Sender,
    /// Text of the message.
    pub message: MessageText,
    /// Alert to whose thread the message belongs, if any.
    pub alert_id: Option<AlertId>,
    /// Time at which the store accepted the message.
    pub sent_at: Timestamp,
}

impl ChatMessage {
    /// Returns the words of the text and the sender, which a search compares.
    pub fn search_text(&self) -> SearchText {
        SearchText::of([self.message.as_str(), self.sender.as_str()])
    }
}
