//! Alerts as flat JSON objects, and frames for changes of alerts.

use crate::{PositionText, TimestampText};
use northgate_domain::{
    Alert, AlertChange, AlertEvent, Attribution, DedupKey, HttpUrl, Labels, NoteText, Operator,
    Position, Positioned, Source,
};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

/// The current state of an alert.
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
    /// Id of the alert: a random UUID (version 4) that the server generates.
    pub id: Uuid,
    /// Time when the alert was raised: RFC 3339, UTC, microseconds.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: TimestampText,
    /// `alert_update` in the frame of a change, and `alert` everywhere else.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Description of what happened.
    pub message: &'a str,
    /// Location of what happened.
    pub location: &'a str,
    /// Name of the system that raised the alert. The member is absent if the sender sent no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub source: Option<&'a str>,
    /// Severity: `critical`, `error`, `warning` or `info`. The value is the worst of all raises.
    pub severity: &'static str,
    /// Searchable key/value pairs. The member is absent if the alert has no labels.
    #[serde(skip_serializing_if = "LabelsBody::is_empty")]
    #[schema(value_type = std::collections::BTreeMap<String, String>, required = false)]
    pub labels: LabelsBody<'a>,
    /// Address of a page with more information.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub url: Option<&'a str>,
    /// Deduplication key. While this alert is not resolved, a later raise with the same key is a
    /// repeat of this alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub dedup_key: Option<&'a str>,
    /// Status: `open`, `acknowledged` or `resolved`.
    pub status: &'static str,
    /// Number of raises, including the first one.
    pub count: u64,
    /// Time of the first raise, equal to `timestamp`.
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: TimestampText,
    /// Time of the last raise.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: TimestampText,
    /// Expiry time, at which the alert resolves automatically. The member is absent if the alert
    /// has no expiry time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub expires_at: Option<TimestampText>,
    /// Operator who acknowledged the alert. The member is absent if no operator acknowledged the
    /// alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub acknowledged_by: Option<&'a str>,
    /// Time of the acknowledgement.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub acknowledged_at: Option<TimestampText>,
    /// Operator who resolved the alert, or `northgate` if the alert resolved automatically. The
    /// member is absent if the alert is not resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub resolved_by: Option<&'a str>,
    /// Time when the alert was resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub resolved_at: Option<TimestampText>,
    /// The newest notes, oldest first. The member is absent if the alert has no notes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub notes: Vec<NoteBody<'a>>,
    /// Number of older notes that were dropped. The member is absent if no note was dropped.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false)]
    pub notes_dropped: u64,
    /// Time of the newest event of this alert.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: TimestampText,
    /// Number that increases with each event of this alert. A state with a higher revision is
    /// newer. The `ETag` of the alert is this number in quotes.
    pub revision: u64,
    /// Position in the stream at which the alert was raised. In the frame of a change, the position
    /// of the change. Positions are opaque.
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
    /// Operator who wrote the note.
    pub by: &'a str,
    /// Text of the note.
    pub note: &'a str,
    /// Time when the note was stored.
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

/// A change of an existing alert. Only a stream that requests the type `alert_update` contains this
/// frame.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertUpdate)]
pub struct AlertUpdateBody<'a> {
    /// The change: `repeated`, `acknowledged`, `unacknowledged`, `resolved`, `reopened` or
    /// `annotated`.
    change: &'static str,
    /// Operator who made the change, or `northgate` if the alert resolved automatically. The member
    /// is absent if the change is a repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    by: Option<&'a str>,
    /// Note that the operator sent with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    note: Option<&'a str>,
    /// The complete alert after the change.
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

/// The members of an alert that explain why a request was refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertState {
    /// Id of the alert.
    id: Uuid,
    /// Status: `open`, `acknowledged` or `resolved`.
    #[schema(example = "resolved")]
    status: &'static str,
    /// The newest revision of the alert.
    revision: u64,
    /// Operator who acknowledged the alert. The member is absent if no operator acknowledged the
    /// alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    acknowledged_by: Option<String>,
    /// Operator who resolved the alert. The member is absent if the alert is not resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    resolved_by: Option<String>,
    /// Time of the newest event of this alert.
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
