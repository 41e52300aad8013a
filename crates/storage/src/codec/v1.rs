//! The shapes of version 1, from before alerts had a life. They are in databases: they are read, and
//! nothing about them changes any more.

use super::CodecError;
use crate::Answer;
use northgate_domain::{
    Alert, AlertEvent, ChatMessage, Epoch, Event, Location, MessageId, MessageText, Position,
    RaiseAlert, Revision, Sender, Source, Stamp, Stamped, Timestamp,
};
use serde::Deserialize;
use std::borrow::Cow;
use uuid::Uuid;

/// An event; the name says what happened.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EventShape<'a> {
    #[serde(borrow)]
    Raised(AlertShape<'a>),
    #[serde(borrow)]
    Said(ChatShape<'a>),
}

/// An alert in one of its states.
#[derive(Deserialize)]
pub(super) struct AlertShape<'a> {
    id: Uuid,
    #[serde(rename = "r")]
    revision: u64,
    #[serde(rename = "m", borrow)]
    message: Cow<'a, str>,
    #[serde(rename = "l", borrow)]
    location: Cow<'a, str>,
    #[serde(rename = "s", borrow, default)]
    source: Option<Cow<'a, str>>,
    /// Microseconds since 1970.
    #[serde(rename = "t")]
    raised_at: i64,
}

/// A chat message.
#[derive(Deserialize)]
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
#[derive(Deserialize)]
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

impl TryFrom<EventShape<'_>> for Event {
    type Error = CodecError;

    fn try_from(shape: EventShape<'_>) -> Result<Self, CodecError> {
        Ok(match shape {
            EventShape::Raised(alert) => Self::Alert(AlertEvent::raised(alert.try_into()?)),
            EventShape::Said(message) => Self::Chat(message.try_into()?),
        })
    }
}

impl TryFrom<AlertShape<'_>> for Alert {
    type Error = CodecError;

    fn try_from(shape: AlertShape<'_>) -> Result<Self, CodecError> {
        let message = MessageText::parse(&shape.message)?;
        let source = shape.source.map(|source| Source::parse(&source)).transpose()?;
        let raise =
            RaiseAlert { source, ..RaiseAlert::new(message, Location::parse(&shape.location)?) };
        let stamp = Stamp { id: shape.id, at: Timestamp::from_unix_micros(shape.raised_at) };
        Ok(Self { revision: Revision::new(shape.revision), ..Self::raised(&raise, stamp) })
    }
}

impl TryFrom<ChatShape<'_>> for ChatMessage {
    type Error = CodecError;

    fn try_from(shape: ChatShape<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            id: MessageId(shape.id),
            sender: Sender::parse(&shape.sender)?,
            message: MessageText::parse(&shape.message)?,
            alert_id: None,
            sent_at: Timestamp::from_unix_micros(shape.sent_at),
        })
    }
}

impl AnswerShape<'_> {
    pub(super) fn into_answer(self, epoch: Epoch) -> Result<Answer, CodecError> {
        let at = |offset| Position { epoch, offset };
        Ok(match self {
            Self::Appended { offset, event } => {
                let event = Stamped { position: at(offset), value: event.try_into()? };
                Answer::Appended { raised: event.position, event }
            }
            Self::Unchanged { offset, alert } => {
                Answer::Unchanged(Stamped { position: at(offset), value: alert.try_into()? })
            }
        })
    }
}
