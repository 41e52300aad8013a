//! Posting chat messages and looking at them.

use crate::RequestKey;
use crate::submit::{Kept, SubmitError, submit};
use northgate_domain::{ChatMessage, Command, Event, PostMessage, Stamped};
use northgate_storage::{Answer, EventStore, MessageQuery, QueryError, Snapshot};
use std::sync::Arc;

/// The use cases around chat.
#[derive(Clone)]
pub struct ChatService {
    store: Arc<dyn EventStore>,
}

impl ChatService {
    /// What keys of requests are told apart by.
    const ROUTE: &'static str = "messages";

    /// Works on `store`.
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self { store }
    }

    /// Posts a message. It is kept when this returns, and on its way to everyone, the sender
    /// included. Posted again with the same key, nothing happens.
    pub async fn post(
        &self,
        post: PostMessage,
        key: Option<RequestKey>,
    ) -> Result<Kept<Stamped<ChatMessage>>, SubmitError> {
        let command = Command::PostMessage(post);
        let Kept { value, replayed } =
            submit(self.store.as_ref(), Self::ROUTE, command, key).await?;
        match value {
            Answer::Appended {
                event: Stamped { position, value: Event::Chat(message) }, ..
            } => Ok(Kept { value: Stamped { position, value: message }, replayed }),
            _ => Err(SubmitError::UnexpectedAnswer),
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
