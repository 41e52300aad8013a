//! Posting chat messages and looking at them.

use crate::submit::{SubmitError, submit};
use northgate_domain::{ChatMessage, Command, Event, PostMessage, Stamped};
use northgate_storage::{Answer, EventStore, MessageQuery, QueryError, Snapshot};
use std::sync::Arc;

/// The use cases around chat.
#[derive(Clone)]
pub struct ChatService {
    store: Arc<dyn EventStore>,
}

impl ChatService {
    /// Works on `store`.
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self { store }
    }

    /// Posts a message. It is kept when this returns, and on its way to everyone, the sender
    /// included.
    pub async fn post(&self, post: PostMessage) -> Result<Stamped<ChatMessage>, SubmitError> {
        match submit(self.store.as_ref(), Command::PostMessage(post)).await? {
            Answer::Appended(Stamped { position, value: Event::Chat(message) }) => {
                Ok(Stamped { position, value: message })
            }
            Answer::Appended(Stamped { value: Event::Alert(_), .. }) | Answer::Unchanged(_) => {
                Err(SubmitError::UnexpectedAnswer)
            }
        }
    }

    /// The messages that match, oldest first.
    pub async fn history(
        &self,
        query: MessageQuery,
    ) -> Result<Snapshot<Stamped<ChatMessage>>, QueryError> {
        self.store.messages(query).await
    }
}
