//! Shapes of version 1, from before alerts had a life cycle. Databases contain such records, so the
//! shapes must never change. This program only reads these records.

use crate::RecordedOutcome;
use northgate_domain::{
    Alert, AlertEvent, ChatMessage, Epoch, Event, EventMeta, Location, MessageId, MessageText,
    Position, Positioned, RaiseAlert, Revision, Sender, Source, Timestamp,
};
use serde::Deserialize;
use std::borrow::Cow;
use uuid::Uuid;

/// An event; the variant name states the kind of the event.
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

/// A recorded outcome. `offset` is the offset of the event or, for `Unchanged`, of the raise of the
/// alert.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OutcomeShape<'a> {
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

impl From<EventShape<'_>> for Event {
    fn from(shape: EventShape<'_>) -> Self {
        match shape {
            EventShape::Raised(alert) => Self::Alert(AlertEvent::raised(alert.into())),
            EventShape::Said(message) => Self::Chat(message.into()),
        }
    }
}

impl From<AlertShape<'_>> for Alert {
    fn from(shape: AlertShape<'_>) -> Self {
        let message = MessageText::from_stored(&shape.message);
        let source = shape.source.map(|source| Source::from_stored(&source));
        let raise = RaiseAlert {
            source,
            ..RaiseAlert::new(message, Location::from_stored(&shape.location))
        };
        let stamp = EventMeta::new(shape.id, Timestamp::from_unix_micros(shape.raised_at));
        Self { revision: Revision::new(shape.revision), ..Self::raised(&raise, stamp) }
    }
}

impl From<ChatShape<'_>> for ChatMessage {
    fn from(shape: ChatShape<'_>) -> Self {
        Self {
            id: MessageId(shape.id),
            sender: Sender::from_stored(&shape.sender),
            message: MessageText::from_stored(&shape.message),
            alert_id: None,
            sent_at: Timestamp::from_unix_micros(shape.sent_at),
        }
    }
}

impl OutcomeShape<'_> {
    pub(super) fn into_answer(self, epoch: Epoch) -> RecordedOutcome {
        let at = |offset| Position { epoch, offset };
        match self {
            Self::Appended { offset, event } => {
                let event = Positioned { position: at(offset), value: event.into() };
                RecordedOutcome::Appended { raised: event.position, event }
            }
            Self::Unchanged { offset, alert } => {
                RecordedOutcome::Unchanged(Positioned { position: at(offset), value: alert.into() })
            }
        }
    }
}
