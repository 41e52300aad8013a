//! Shapes of version 2, in which alerts have a life cycle. Databases contain such records, so the
//! shapes must never change. A member is omitted if it has its most common value.

use super::CodecError;
use crate::RecordedOutcome;
use northgate_domain::{
    Alert, AlertChange, AlertEvent, AlertId, Attribution, ChatMessage, DedupKey, Epoch, Event,
    HttpUrl, Label, LabelName, LabelValue, Labels, Location, MessageId, MessageText, Note,
    NoteText, Notes, Operator, Position, Positioned, Revision, Sender, Severity, Source, Status,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use uuid::Uuid;

/// An event; the variant name states the kind of the event.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "a value exists only while one record is encoded or decoded"
)]
pub(super) enum EventShape<'a> {
    #[serde(borrow)]
    Alert(ChangeShape<'a>),
    #[serde(borrow)]
    Said(ChatShape<'a>),
}

/// A change of an alert.
#[derive(Serialize, Deserialize)]
pub(super) struct ChangeShape<'a> {
    /// Name of the change.
    #[serde(rename = "c", borrow)]
    change: Cow<'a, str>,
    #[serde(rename = "a", borrow)]
    alert: AlertShape<'a>,
    #[serde(rename = "b", borrow, default, skip_serializing_if = "Option::is_none")]
    by: Option<Cow<'a, str>>,
    #[serde(rename = "n", borrow, default, skip_serializing_if = "Option::is_none")]
    note: Option<Cow<'a, str>>,
}

/// An alert in one of its states. Timestamps are microseconds since 1970.
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
    #[serde(rename = "v", borrow, default, skip_serializing_if = "Option::is_none")]
    severity: Option<Cow<'a, str>>,
    #[serde(rename = "lb", borrow, default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    #[serde(rename = "u", borrow, default, skip_serializing_if = "Option::is_none")]
    url: Option<Cow<'a, str>>,
    #[serde(rename = "k", borrow, default, skip_serializing_if = "Option::is_none")]
    dedup_key: Option<Cow<'a, str>>,
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(rename = "t")]
    raised_at: i64,
    /// Absent if equal to `raised_at`.
    #[serde(rename = "ls", default, skip_serializing_if = "Option::is_none")]
    last_seen: Option<i64>,
    /// Absent if equal to `raised_at`.
    #[serde(rename = "up", default, skip_serializing_if = "Option::is_none")]
    updated_at: Option<i64>,
    /// Absent if 1.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(rename = "ack", borrow, default, skip_serializing_if = "Option::is_none")]
    acknowledged: Option<AttributionShape<'a>>,
    #[serde(rename = "res", borrow, default, skip_serializing_if = "Option::is_none")]
    resolved: Option<AttributionShape<'a>>,
    #[serde(rename = "no", borrow, default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<NoteShape<'a>>,
    #[serde(rename = "nd", default, skip_serializing_if = "Option::is_none")]
    notes_dropped: Option<u64>,
}

/// An operator, and the time of their action.
#[derive(Serialize, Deserialize)]
struct AttributionShape<'a> {
    #[serde(rename = "b", borrow)]
    by: Cow<'a, str>,
    #[serde(rename = "t")]
    at: i64,
}

/// A note on an alert.
#[derive(Serialize, Deserialize)]
struct NoteShape<'a> {
    #[serde(rename = "b", borrow)]
    by: Cow<'a, str>,
    #[serde(rename = "n", borrow)]
    text: Cow<'a, str>,
    #[serde(rename = "t")]
    at: i64,
}

/// A chat message.
#[derive(Serialize, Deserialize)]
pub(super) struct ChatShape<'a> {
    id: Uuid,
    #[serde(rename = "f", borrow)]
    sender: Cow<'a, str>,
    #[serde(rename = "m", borrow)]
    message: Cow<'a, str>,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    alert_id: Option<Uuid>,
    #[serde(rename = "t")]
    sent_at: i64,
}

/// A recorded outcome. `offset` is the offset of the event or, for `Unchanged`, of the raise of the
/// alert. `raised` is the offset of the raise; absent if equal to `offset`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OutcomeShape<'a> {
    Appended {
        #[serde(rename = "o")]
        offset: u64,
        #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
        raised: Option<u64>,
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
            Event::Alert(AlertEvent { change, alert, by, note }) => Self::Alert(ChangeShape {
                change: change.name().into(),
                alert: alert.into(),
                by: by.as_ref().map(|by| by.as_str().into()),
                note: note.as_ref().map(|note| note.as_str().into()),
            }),
            Event::Chat(message) => Self::Said(message.into()),
        }
    }
}

impl TryFrom<EventShape<'_>> for Event {
    type Error = CodecError;

    fn try_from(shape: EventShape<'_>) -> Result<Self, CodecError> {
        Ok(match shape {
            EventShape::Alert(ChangeShape { change, alert, by, note }) => Self::Alert(AlertEvent {
                change: AlertChange::parse(&change).ok_or(CodecError::Word)?,
                alert: alert.try_into()?,
                by: by.map(|by| Operator::from_stored(&by)),
                note: note.map(|note| NoteText::from_stored(&note)),
            }),
            EventShape::Said(message) => Self::Chat(message.into()),
        })
    }
}

impl<'a> From<&'a Alert> for AlertShape<'a> {
    fn from(alert: &'a Alert) -> Self {
        let raised_at = alert.raised_at;
        let unless_raised = |at: Timestamp| (at != raised_at).then(|| at.unix_micros());
        let label = |label: &'a Label| (label.name.as_str().into(), label.value.as_str().into());
        let severity = alert.severity;
        let dropped = alert.notes.dropped();
        Self {
            id: alert.id.0,
            revision: alert.revision.get(),
            message: alert.message.as_str().into(),
            location: alert.location.as_str().into(),
            source: alert.source.as_ref().map(|source| source.as_str().into()),
            severity: (severity != Severity::default()).then(|| severity.name().into()),
            labels: alert.labels.as_slice().iter().map(label).collect(),
            url: alert.url.as_ref().map(|url| url.as_str().into()),
            dedup_key: alert.dedup_key.as_ref().map(|key| key.as_str().into()),
            expires_at: alert.expires_at.map(Timestamp::unix_micros),
            raised_at: raised_at.unix_micros(),
            last_seen: unless_raised(alert.last_seen),
            updated_at: unless_raised(alert.updated_at),
            count: (alert.count != 1).then_some(alert.count),
            acknowledged: alert.status.acknowledged().map(AttributionShape::from),
            resolved: alert.status.resolved().map(AttributionShape::from),
            notes: alert.notes.as_slice().iter().map(NoteShape::from).collect(),
            notes_dropped: (dropped != 0).then_some(dropped),
        }
    }
}

impl TryFrom<AlertShape<'_>> for Alert {
    type Error = CodecError;

    fn try_from(shape: AlertShape<'_>) -> Result<Self, CodecError> {
        let micros = Timestamp::from_unix_micros;
        let severity = shape.severity.map(|name| Severity::parse(&name).ok_or(CodecError::Word));
        let labels = shape.labels.iter().map(|(name, value)| Label {
            name: LabelName::from_stored(name),
            value: LabelValue::from_stored(value),
        });
        let acknowledged = shape.acknowledged.map(Attribution::from);
        let resolved = shape.resolved.map(Attribution::from);
        let notes = shape.notes.into_iter().map(Note::from).collect();
        Ok(Self {
            id: AlertId(shape.id),
            revision: Revision::new(shape.revision),
            message: MessageText::from_stored(&shape.message),
            location: Location::from_stored(&shape.location),
            source: shape.source.map(|source| Source::from_stored(&source)),
            severity: severity.transpose()?.unwrap_or_default(),
            labels: Labels::from_stored(labels.collect()),
            url: shape.url.map(|url| HttpUrl::from_stored(&url)).transpose()?,
            dedup_key: shape.dedup_key.map(|key| DedupKey::from_stored(&key)),
            expires_at: shape.expires_at.map(micros),
            raised_at: micros(shape.raised_at),
            last_seen: micros(shape.last_seen.unwrap_or(shape.raised_at)),
            updated_at: micros(shape.updated_at.unwrap_or(shape.raised_at)),
            count: shape.count.unwrap_or(1),
            status: match (acknowledged, resolved) {
                (acknowledged, Some(resolved)) => Status::Resolved { acknowledged, resolved },
                (Some(mark), None) => Status::Acknowledged(mark),
                (None, None) => Status::Open,
            },
            notes: Notes::new(notes, shape.notes_dropped.unwrap_or(0)),
        })
    }
}

impl<'a> From<&'a Attribution> for AttributionShape<'a> {
    fn from(mark: &'a Attribution) -> Self {
        Self { by: mark.by.as_str().into(), at: mark.at.unix_micros() }
    }
}

impl From<AttributionShape<'_>> for Attribution {
    fn from(shape: AttributionShape<'_>) -> Self {
        Self { by: Operator::from_stored(&shape.by), at: Timestamp::from_unix_micros(shape.at) }
    }
}

impl<'a> From<&'a Note> for NoteShape<'a> {
    fn from(note: &'a Note) -> Self {
        Self {
            by: note.by.as_str().into(),
            text: note.text.as_str().into(),
            at: note.at.unix_micros(),
        }
    }
}

impl From<NoteShape<'_>> for Note {
    fn from(shape: NoteShape<'_>) -> Self {
        Self {
            by: Operator::from_stored(&shape.by),
            text: NoteText::from_stored(&shape.text),
            at: Timestamp::from_unix_micros(shape.at),
        }
    }
}

impl<'a> From<&'a ChatMessage> for ChatShape<'a> {
    fn from(chat: &'a ChatMessage) -> Self {
        let ChatMessage { id, sender, message, alert_id, sent_at } = chat;
        Self {
            id: id.0,
            sender: sender.as_str().into(),
            message: message.as_str().into(),
            alert_id: alert_id.map(|AlertId(id)| id),
            sent_at: sent_at.unix_micros(),
        }
    }
}

impl From<ChatShape<'_>> for ChatMessage {
    fn from(shape: ChatShape<'_>) -> Self {
        Self {
            id: MessageId(shape.id),
            sender: Sender::from_stored(&shape.sender),
            message: MessageText::from_stored(&shape.message),
            alert_id: shape.alert_id.map(AlertId),
            sent_at: Timestamp::from_unix_micros(shape.sent_at),
        }
    }
}

impl<'a> From<&'a RecordedOutcome> for OutcomeShape<'a> {
    fn from(answer: &'a RecordedOutcome) -> Self {
        match answer {
            RecordedOutcome::Appended { event, raised } => Self::Appended {
                offset: event.position.offset,
                raised: (*raised != event.position).then_some(raised.offset),
                event: (&event.value).into(),
            },
            RecordedOutcome::Unchanged(alert) => {
                Self::Unchanged { offset: alert.position.offset, alert: (&alert.value).into() }
            }
        }
    }
}

impl OutcomeShape<'_> {
    pub(super) fn into_answer(self, epoch: Epoch) -> Result<RecordedOutcome, CodecError> {
        let at = |offset| Position { epoch, offset };
        Ok(match self {
            Self::Appended { offset, raised, event } => RecordedOutcome::Appended {
                event: Positioned { position: at(offset), value: event.try_into()? },
                raised: at(raised.unwrap_or(offset)),
            },
            Self::Unchanged { offset, alert } => RecordedOutcome::Unchanged(Positioned {
                position: at(offset),
                value: alert.try_into()?,
            }),
        })
    }
}
