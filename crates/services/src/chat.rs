//! The use cases of chat: post a message, query messages.

use crate::submit::{SubmitError, Submitted, submit};
use crate::{LookupError, RequestKey};
use northgate_domain::{
    ChatMessage, Command, Event, HistoryPage, MessageQuery, Positioned, PostMessage,
};
use northgate_storage::{EventLog, ReadModel, RecordedOutcome};
use std::sync::Arc;

/// Posts chat messages and queries them.
#[derive(Clone)]
pub struct ChatService {
    log: Arc<dyn EventLog>,
    read_model: Arc<dyn ReadModel>,
}

impl ChatService {
    /// Scope of the idempotency keys of messages.
    const ROUTE: &'static str = "messages";

    /// Creates the service. The service appends to `log` and queries `read_model`, which must show
    /// the state of that log.
    pub fn new(log: Arc<dyn EventLog>, read_model: Arc<dyn ReadModel>) -> Self {
        Self { log, read_model }
    }

    /// Posts a message. When this returns, the message is committed, and the server is sending it
    /// to all clients, including the sender. A second post with the same `key` changes nothing and
    /// returns the first message.
    pub async fn post(
        &self,
        post: PostMessage,
        key: Option<RequestKey>,
    ) -> Result<Submitted<Positioned<ChatMessage>>, SubmitError> {
        let command = Command::PostMessage(post);
        let Submitted { value, replayed } =
            submit(self.log.as_ref(), Self::ROUTE, command, key).await?;
        match value {
            RecordedOutcome::Appended {
                event: Positioned { position, value: Event::Chat(message) },
                ..
            } => Ok(Submitted { value: Positioned { position, value: message }, replayed }),
            _ => Err(SubmitError::UnexpectedAnswer),
        }
    }

    /// Returns the matching messages, oldest first.
    pub async fn history(
        &self,
        query: MessageQuery,
    ) -> Result<HistoryPage<ChatMessage>, LookupError> {
        Ok(self.read_model.messages(query).await?)
    }
}
