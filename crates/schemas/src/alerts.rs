//! Alerts as flat JSON objects, and what changed about them.

use crate::{PositionText, TimestampText};
use northgate_domain::{
    Alert, AlertChange, AlertEvent, Attribution, DedupKey, HttpUrl, Labels, NoteText, Operator,
    Position, Positioned, Source,
};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

/// An alert, as it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Alert, example = json!({
    "id": "5c54e4c8-7a07-4d4f-9d0a-3f2f6c1c2d11",
    "timestamp": "2025-07-24T14:23:00.000000Z",
    "type": "alert",
    "message": "Intruder detected",
    "location": "North Gate",
    "source": "camera-7",
    "severity": "critical",
    "labels": { "zone": "perimeter" },
    "url": "https://wiki.example.com/intruders",
    "dedup_key": "intruder/north-gate",
    "status": "acknowledged",
    "count": 3,
    "first_seen": "2025-07-24T14:23:00.000000Z",
    "last_seen": "2025-07-24T14:23:40.000000Z",
    "expires_at": "2025-07-24T15:23:00.000000Z",
    "acknowledged_by": "Anna",
    "acknowledged_at": "2025-07-24T14:23:30.000000Z",
    "notes": [{ "by": "Anna", "note": "On my way", "at": "2025-07-24T14:23:30.000000Z" }],
    "updated_at": "2025-07-24T14:23:40.000000Z",
    "revision": 4,
    "position": "9f86d081884c7d65-42"
}))]
pub struct AlertBody<'a> {
    /// Drawn by the server: UUID version 4.
    pub id: Uuid,
    /// When the alert was raised: RFC 3339, UTC, microseconds.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: TimestampText,
    /// `alert`; in the frame of a change `alert_update`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What happened.
    pub message: &'a str,
    /// Where it happened.
    pub location: &'a str,
    /// Which system said so; absent if it gave no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub source: Option<&'a str>,
    /// How bad it is: `critical`, `error`, `warning` or `info`; the worst that was said.
    pub severity: &'static str,
    /// By what else it can be found; absent if there is nothing.
    #[serde(skip_serializing_if = "LabelsBody::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, String>, required = false)]
    pub labels: LabelsBody<'a>,
    /// Where more is to be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub url: Option<&'a str>,
    /// The key that it was raised with. Whatever is raised with the same one is a repeat of it,
    /// while it is not resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub dedup_key: Option<&'a str>,
    /// `open`, `acknowledged` or `resolved`.
    pub status: &'static str,
    /// How often it was raised.
    pub count: u64,
    /// When it was raised for the first time: the same as `timestamp`.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: TimestampText,
    /// When it was raised for the last time.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: TimestampText,
    /// When it resolves by itself; absent if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub expires_at: Option<TimestampText>,
    /// Who took it on, if anybody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub acknowledged_by: Option<&'a str>,
    /// When somebody took it on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub acknowledged_at: Option<TimestampText>,
    /// Who ended it, if it is over; `northgate` if it ended by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub resolved_by: Option<&'a str>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub resolved_at: Option<TimestampText>,
    /// The newest notes, oldest first; absent if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub notes: Vec<NoteBody<'a>>,
    /// How many older notes are not shown any more.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    pub notes_dropped: u64,
    /// When its newest event happened.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: TimestampText,
    /// Rises with each event of this alert: of two states, the higher one is newer. It is the
    /// alert's `ETag`.
    pub revision: u64,
    /// Where in the stream the alert was raised, in the frame of a change where that stands;
    /// opaque.
    #[schema(value_type = String)]
    pub position: PositionText,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl<'a> From<&'a Positioned<Alert>> for AlertBody<'a> {
    fn from(stamped: &'a Positioned<Alert>) -> Self {
        Self::new("alert", stamped.position, &stamped.value)
    }
}

impl<'a> AlertBody<'a> {
    fn new(kind: &'static str, position: Position, alert: &'a Alert) -> Self {
        let by = |mark: Option<&'a Attribution>| mark.map(|mark| mark.by.as_str());
        let at = |mark: Option<&Attribution>| mark.map(|mark| TimestampText(mark.at));
        let (acknowledged, resolved) = (alert.status.acknowledged(), alert.status.resolved());
        let note = |note: &'a northgate_domain::Note| NoteBody {
            by: note.by.as_str(),
            note: note.text.as_str(),
            at: TimestampText(note.at),
        };
        Self {
            id: alert.id.0,
            timestamp: TimestampText(alert.raised_at),
            kind,
            message: alert.message.as_str(),
            location: alert.location.as_str(),
            source: alert.source.as_ref().map(Source::as_str),
            severity: alert.severity.name(),
            labels: LabelsBody(&alert.labels),
            url: alert.url.as_ref().map(HttpUrl::as_str),
            dedup_key: alert.dedup_key.as_ref().map(DedupKey::as_str),
            status: alert.status.kind().name(),
            count: alert.count,
            first_seen: TimestampText(alert.raised_at),
            last_seen: TimestampText(alert.last_seen),
            expires_at: alert.expires_at.map(TimestampText),
            acknowledged_by: by(acknowledged),
            acknowledged_at: at(acknowledged),
            resolved_by: by(resolved),
            resolved_at: at(resolved),
            notes: alert.notes.as_slice().iter().map(note).collect(),
            notes_dropped: alert.notes.dropped(),
            updated_at: TimestampText(alert.updated_at),
            revision: alert.revision.get(),
            position: PositionText(position),
        }
    }
}

/// A note on an alert.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Note)]
pub struct NoteBody<'a> {
    /// Who wrote it.
    pub by: &'a str,
    /// What it says.
    pub note: &'a str,
    /// When it was kept.
    #[schema(value_type = String, format = DateTime)]
    pub at: TimestampText,
}

/// Labels as an object of strings.
#[derive(Debug)]
pub struct LabelsBody<'a>(&'a Labels);

impl LabelsBody<'_> {
    fn is_empty(&self) -> bool {
        self.0.as_slice().is_empty()
    }
}

impl Serialize for LabelsBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let labels = self.0.as_slice().iter();
        serializer.collect_map(labels.map(|label| (label.name.as_str(), label.value.as_str())))
    }
}

/// Something happened to an alert that is there already. Only streams that ask for the type
/// `alert_update` have this frame.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertUpdate)]
pub struct AlertUpdateBody<'a> {
    /// What happened: `repeated`, `acknowledged`, `unacknowledged`, `resolved`, `reopened` or
    /// `annotated`.
    change: &'static str,
    /// Who did it, if it was an operator; `northgate` if it happened by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    by: Option<&'a str>,
    /// What there was to say about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    note: Option<&'a str>,
    /// The whole alert as it stands afterwards.
    #[serde(flatten)]
    alert: AlertBody<'a>,
}

/// The frame of an event of an alert.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum AlertFrame<'a> {
    Raised(AlertBody<'a>),
    Changed(AlertUpdateBody<'a>),
}

impl<'a> AlertFrame<'a> {
    pub(crate) fn new(position: Position, event: &'a AlertEvent) -> Self {
        let AlertEvent { change, alert, by, note } = event;
        match change {
            AlertChange::Raised => Self::Raised(AlertBody::new("alert", position, alert)),
            change => Self::Changed(AlertUpdateBody {
                change: change.name(),
                by: by.as_ref().map(Operator::as_str),
                note: note.as_ref().map(NoteText::as_str),
                alert: AlertBody::new("alert_update", position, alert),
            }),
        }
    }
}

/// What of an alert whoever is refused needs to know.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertState {
    /// The alert.
    id: Uuid,
    /// `open`, `acknowledged` or `resolved`.
    #[schema(example = "resolved")]
    status: &'static str,
    /// The newest revision.
    revision: u64,
    /// Who took it on, if anybody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    acknowledged_by: Option<String>,
    /// Who ended it, if it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    resolved_by: Option<String>,
    /// When its newest event happened.
    #[schema(value_type = String, format = DateTime)]
    updated_at: TimestampText,
}

impl From<&Alert> for AlertState {
    fn from(alert: &Alert) -> Self {
        let by = |mark: Option<&Attribution>| mark.map(|mark| mark.by.as_str().to_owned());
        Self {
            id: alert.id.0,
            status: alert.status.kind().name(),
            revision: alert.revision.get(),
            acknowledged_by: by(alert.status.acknowledged()),
            resolved_by: by(alert.status.resolved()),
            updated_at: TimestampText(alert.updated_at),
        }
    }
}
