//! Posting chat messages and looking at them.

use crate::submit::{SubmitError, Submitted, submit};
use crate::{LookupError, RequestKey};
use northgate_domain::{
    ChatMessage, Command, Event, HistoryPage, MessageQuery, Positioned, PostMessage,
};
use northgate_storage::{EventLog, ReadModel, RecordedOutcome};
use std::sync::Arc;

/// The use cases around chat.
#[derive(Clone)]
pub struct ChatService {
    log: Arc<dyn EventLog>,
    read_model: Arc<dyn ReadModel>,
}

impl ChatService {
    /// What keys of requests are told apart by.
    const ROUTE: &'static str = "messages";

    /// Appends to `log`, of whose state `read_model` answers queries.
    pub fn new(log: Arc<dyn EventLog>, read_model: Arc<dyn ReadModel>) -> Self {
        Self { log, read_model }
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
            submit(self.log.as_ref(), Self::ROUTE, command, key).await?;
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
    ) -> Result<HistoryPage<ChatMessage>, LookupError> {
        Ok(self.read_model.messages(query).await?)
    }
}
