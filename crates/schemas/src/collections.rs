//! Answers that hold many items, with the position that they reflect.

use crate::{AlertBody, ChatBody, PositionText};
use northgate_domain::Position;
use northgate_domain::{Alert, ChatMessage, Stamped};
use serde::Serialize;
use utoipa::ToSchema;

/// Alerts, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertCollection<'a> {
    /// The alerts.
    #[schema(inline = false)]
    pub alerts: Vec<AlertBody<'a>>,
    /// How many alerts this answer holds.
    pub count: usize,
    /// The newest event that the alerts reflect: what comes after it is on the stream.
    #[schema(value_type = String)]
    pub position: PositionText,
}

impl<'a> AlertCollection<'a> {
    /// The collection as it stood at `position`.
    pub fn new(position: Position, alerts: &'a [Stamped<Alert>]) -> Self {
        let alerts: Vec<_> = alerts.iter().map(AlertBody::from).collect();
        Self { count: alerts.len(), alerts, position: PositionText(position) }
    }
}

/// Chat messages, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageCollection<'a> {
    /// The messages.
    #[schema(inline = false)]
    pub chat_messages: Vec<ChatBody<'a>>,
    /// How many messages this answer holds.
    pub count: usize,
    /// The newest event that the messages reflect: what comes after it is on the stream.
    #[schema(value_type = String)]
    pub position: PositionText,
}

impl<'a> MessageCollection<'a> {
    /// The collection as it stood at `position`.
    pub fn new(position: Position, messages: &'a [Stamped<ChatMessage>]) -> Self {
        let chat_messages: Vec<_> = messages.iter().map(ChatBody::from).collect();
        Self { count: chat_messages.len(), chat_messages, position: PositionText(position) }
    }
}
