//! The timeline of one alert: the query for a page, and the answer.

use crate::encoding::encode;
use crate::fields::FieldErrors;
use crate::history::{limit, links, position};
use crate::{AlertBody, Order, PositionText, TimestampText};
use northgate_domain::{
    AlertChange, AlertEvent, AlertQuery, AlertTimeline, Event, HistoryRange, NoteText, Operator,
    Positioned, RememberedChange,
};
use serde::Serialize;
use utoipa::ToSchema;

/// Stored events per page of a timeline if the request has no `limit`.
pub const TIMELINE_LIMIT_DEFAULT: usize = 100;

/// Parses the query string of a timeline. Unknown names are ignored. The error names every bad
/// parameter. If a parameter occurs twice, the last value is used.
pub fn parse_timeline(query: &str) -> Result<HistoryRange, FieldErrors> {
    let mut range = HistoryRange::newest(TIMELINE_LIMIT_DEFAULT);
    let mut errors = FieldErrors::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let parsed = match name.as_ref() {
            "limit" => limit(&value).map(|limit| range.limit = limit),
            "before" => position("before", &value).map(|before| range.before = Some(before)),
            _ => Ok(()),
        };
        if let Err((name, detail)) = parsed {
            errors.complain(name, detail);
        }
    }
    if errors.is_empty() { Ok(range) } else { Err(errors) }
}

/// The history of one alert: its stored events, oldest first, and then the changes that only its
/// state still shows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Timeline)]
pub struct TimelineBody<'a> {
    /// The alert in its current state.
    #[schema(inline = false)]
    pub alert: AlertBody<'a>,
    /// Stored events of the alert, oldest first. If `previous` is `null` and events were trimmed,
    /// the entries of type `remembered` follow, also oldest first.
    #[schema(inline = false)]
    pub events: Vec<TimelineEntry<'a>>,
    /// Number of entries in this answer.
    pub count: usize,
    /// Whether every event of the alert is still stored. If not, entries of type `remembered` are
    /// all that is known about the older events.
    pub complete: bool,
    /// Position of the newest event that the answer reflects. A stream that starts after this
    /// position sends every later event.
    #[schema(value_type = String)]
    pub position: PositionText,
    /// Address of the page with older stored events, or `null` if there are none. Follow `previous`
    /// until it is `null`.
    #[schema(required = true, example = "?limit=100&before=9f86d081884c7d65-33")]
    pub previous: Option<String>,
}

impl<'a> TimelineBody<'a> {
    /// Creates the answer to the query `range`.
    pub fn new(range: HistoryRange, timeline: &'a AlertTimeline) -> Self {
        let page = &timeline.events;
        let query = AlertQuery { range, ..AlertQuery::default() };
        let previous = links(&query, Order::Asc, page).previous;
        let mut events: Vec<_> = page.items.iter().filter_map(TimelineEntry::stored).collect();
        if previous.is_none() {
            events.extend(timeline.remembered().into_iter().map(TimelineEntry::remembered));
        }
        Self {
            alert: AlertBody::from(&timeline.alert),
            count: events.len(),
            events,
            complete: timeline.is_complete(),
            position: PositionText(page.position),
            previous,
        }
    }

    /// Returns the answer as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        encode(self)
    }
}

/// One change of an alert. An entry of type `remembered` has no `severity`, `status`, `count`,
/// `revision` and `position`, because its event is no longer stored.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelineEntry<'a> {
    /// Type: `alert` for the first raise, `alert_update` for a later change, and `remembered` for a
    /// change whose event is no longer stored.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The change: `raised`, `repeated`, `acknowledged`, `unacknowledged`, `resolved`, `reopened`
    /// or `annotated`.
    pub change: &'static str,
    /// Time of the change.
    #[schema(value_type = String, format = DateTime)]
    pub at: TimestampText,
    /// Operator who made the change, or `northgate` if the alert resolved automatically. The member
    /// is absent if the change is a raise or a repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub by: Option<&'a str>,
    /// Note that the operator sent with the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub note: Option<&'a str>,
    /// Severity of the alert after the change: `critical`, `error`, `warning` or `info`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub severity: Option<&'static str>,
    /// Status of the alert after the change: `open`, `acknowledged` or `resolved`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub status: Option<&'static str>,
    /// Number of raises up to this change, including the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub count: Option<u64>,
    /// Revision of the alert after the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub revision: Option<u64>,
    /// Position of the event in the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub position: Option<PositionText>,
}

impl<'a> TimelineEntry<'a> {
    /// Creates the entry of a stored event; `None` for a chat message.
    fn stored(event: &'a Positioned<Event>) -> Option<Self> {
        let Event::Alert(AlertEvent { change, alert, by, note }) = &event.value else {
            return None;
        };
        let kind = if *change == AlertChange::Raised { "alert" } else { "alert_update" };
        Some(Self {
            kind,
            change: change.name(),
            at: TimestampText(alert.updated_at),
            by: by.as_ref().map(Operator::as_str),
            note: note.as_ref().map(NoteText::as_str),
            severity: Some(alert.severity.name()),
            status: Some(alert.status.kind().name()),
            count: Some(alert.count),
            revision: Some(alert.revision.get()),
            position: Some(PositionText(event.position)),
        })
    }

    fn remembered(change: RememberedChange<'a>) -> Self {
        let RememberedChange { change, at, by, note } = change;
        Self {
            kind: "remembered",
            change: change.name(),
            at: TimestampText(at),
            by: by.map(Operator::as_str),
            note: note.map(NoteText::as_str),
            severity: None,
            status: None,
            count: None,
            revision: None,
            position: None,
        }
    }
}
