//! Posting chat messages and looking at them.

use crate::RequestKey;
use crate::submit::{SubmitError, Submitted, submit};
use northgate_domain::{ChatMessage, Command, Event, Positioned, PostMessage};
use northgate_storage::{EventStore, MessageQuery, QueryError, RecordedOutcome, Snapshot};
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
    ) -> Result<Submitted<Positioned<ChatMessage>>, SubmitError> {
        let command = Command::PostMessage(post);
        let Submitted { value, replayed } =
            submit(self.store.as_ref(), Self::ROUTE, command, key).await?;
        match value {
            RecordedOutcome::Appended {
                event: Positioned { position, value: Event::Chat(message) },
                ..
            } => Ok(Submitted { value: Positioned { position, value: message }, replayed }),
            _ => Err(SubmitError::UnexpectedAnswer),
        }
    }

    /// The messages that match, oldest first.
    pub async fn history(
        &self,
        query: MessageQuery,
    ) -> Result<Snapshot<Positioned<ChatMessage>>, QueryError> {
        self.store.messages(query).await
    }
}
