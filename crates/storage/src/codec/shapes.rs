//! The shapes of version 1. They are in databases: nothing here changes any more.

use crate::Answer;
use northgate_domain::{
    Alert, AlertChange, AlertEvent, AlertId, ChatMessage, Epoch, Event, Location, MessageId,
    MessageText, Position, Revision, Sender, Source, Stamped, TextError, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use uuid::Uuid;

/// An event; the name says what happened.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EventShape<'a> {
    #[serde(borrow)]
    Raised(AlertShape<'a>),
    #[serde(borrow)]
    Said(ChatShape<'a>),
}

/// An alert in one of its states.
#[derive(Serialize, Deserialize)]
pub(super) struct AlertShape<'a> {
    id: Uuid,
    #[serde(rename = "r")]
    revision: u64,
    #[serde(rename = "m", borrow)]
    message: Cow<'a, str>,
    #[serde(rename = "l", borrow)]
    location: Cow<'a, str>,
    #[serde(rename = "s", borrow, default, skip_serializing_if = "Option::is_none")]
    source: Option<Cow<'a, str>>,
    /// Microseconds since 1970.
    #[serde(rename = "t")]
    raised_at: i64,
}

/// A chat message.
#[derive(Serialize, Deserialize)]
pub(super) struct ChatShape<'a> {
    id: Uuid,
    #[serde(rename = "f", borrow)]
    sender: Cow<'a, str>,
    #[serde(rename = "m", borrow)]
    message: Cow<'a, str>,
    /// Microseconds since 1970.
    #[serde(rename = "t")]
    sent_at: i64,
}

/// A first answer, with the offset of the event or of the alert's raising.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AnswerShape<'a> {
    Appended {
        #[serde(rename = "o")]
        offset: u64,
        #[serde(rename = "e", borrow)]
        event: EventShape<'a>,
    },
    Unchanged {
        #[serde(rename = "o")]
        offset: u64,
        #[serde(rename = "a", borrow)]
        alert: AlertShape<'a>,
    },
}

impl<'a> From<&'a Event> for EventShape<'a> {
    fn from(event: &'a Event) -> Self {
        match event {
            Event::Alert(AlertEvent { change: AlertChange::Raised, alert }) => {
                Self::Raised(alert.into())
            }
            Event::Chat(message) => Self::Said(message.into()),
        }
    }
}

impl TryFrom<EventShape<'_>> for Event {
    type Error = TextError;

    fn try_from(shape: EventShape<'_>) -> Result<Self, TextError> {
        Ok(match shape {
            EventShape::Raised(alert) => {
                Self::Alert(AlertEvent { change: AlertChange::Raised, alert: alert.try_into()? })
            }
            EventShape::Said(message) => Self::Chat(message.try_into()?),
        })
    }
}

impl<'a> From<&'a Alert> for AlertShape<'a> {
    fn from(alert: &'a Alert) -> Self {
        let Alert { id, revision, message, location, source, raised_at } = alert;
        Self {
            id: id.0,
            revision: revision.get(),
            message: message.as_str().into(),
            location: location.as_str().into(),
            source: source.as_ref().map(|source| source.as_str().into()),
            raised_at: raised_at.unix_micros(),
        }
    }
}

impl TryFrom<AlertShape<'_>> for Alert {
    type Error = TextError;

    fn try_from(shape: AlertShape<'_>) -> Result<Self, TextError> {
        Ok(Self {
            id: AlertId(shape.id),
            revision: Revision::new(shape.revision),
            message: MessageText::parse(&shape.message)?,
            location: Location::parse(&shape.location)?,
            source: shape.source.map(|source| Source::parse(&source)).transpose()?,
            raised_at: Timestamp::from_unix_micros(shape.raised_at),
        })
    }
}

impl<'a> From<&'a ChatMessage> for ChatShape<'a> {
    fn from(chat: &'a ChatMessage) -> Self {
        let ChatMessage { id, sender, message, sent_at } = chat;
        Self {
            id: id.0,
            sender: sender.as_str().into(),
            message: message.as_str().into(),
            sent_at: sent_at.unix_micros(),
        }
    }
}

impl TryFrom<ChatShape<'_>> for ChatMessage {
    type Error = TextError;

    fn try_from(shape: ChatShape<'_>) -> Result<Self, TextError> {
        Ok(Self {
            id: MessageId(shape.id),
            sender: Sender::parse(&shape.sender)?,
            message: MessageText::parse(&shape.message)?,
            sent_at: Timestamp::from_unix_micros(shape.sent_at),
        })
    }
}

impl<'a> From<&'a Answer> for AnswerShape<'a> {
    fn from(answer: &'a Answer) -> Self {
        match answer {
            Answer::Appended(event) => {
                Self::Appended { offset: event.position.offset, event: (&event.value).into() }
            }
            Answer::Unchanged(alert) => {
                Self::Unchanged { offset: alert.position.offset, alert: (&alert.value).into() }
            }
        }
    }
}

impl AnswerShape<'_> {
    pub(super) fn into_answer(self, epoch: Epoch) -> Result<Answer, TextError> {
        let at = |offset| Position { epoch, offset };
        Ok(match self {
            Self::Appended { offset, event } => {
                Answer::Appended(Stamped { position: at(offset), value: event.try_into()? })
            }
            Self::Unchanged { offset, alert } => {
                Answer::Unchanged(Stamped { position: at(offset), value: alert.try_into()? })
            }
        })
    }
}
