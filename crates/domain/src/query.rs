//! Queries for current alerts and chat messages. Both stay readable after their events are trimmed.

use crate::{
    Alert, AlertId, ChatMessage, Label, LabelName, Location, Position, Search, Severity, Source,
    StatusKind, Timestamp,
};
use std::collections::BTreeMap;

/// Selects alerts. An alert must meet all conditions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertQuery {
    /// Range and size of the page.
    pub range: HistoryRange,
    /// Search in the text of an item: each word of the search must be a prefix of a word of the
    /// text.
    pub search: Search,
    /// Locations of the alert; if empty, any location.
    pub locations: Vec<Location>,
    /// Sources of the alert; if empty, any source or none.
    pub sources: Vec<Source>,
    /// Statuses of the alert; if empty, any status.
    pub statuses: Vec<StatusKind>,
    /// Severities of the alert.
    pub severities: SeverityFilter,
    /// Labels: for each name in this list, the alert must have one of the listed values.
    pub labels: Vec<Label>,
}

impl AlertQuery {
    /// Selects the newest `limit` items, without other conditions.
    pub fn newest(limit: usize) -> Self {
        Self { range: HistoryRange::newest(limit), ..Self::default() }
    }

    /// Returns whether a store may have to examine items that do not match. If the only condition
    /// is on locations, sources, statuses or severities, an index finds exactly the matching items.
    pub fn is_search(&self) -> bool {
        let Self { range, search, locations, sources, statuses, severities, labels } = self;
        let conditions = [
            !locations.is_empty(),
            !sources.is_empty(),
            !statuses.is_empty(),
            *severities != SeverityFilter::Any,
        ];
        range.is_search()
            || !search.is_empty()
            || !labels.is_empty()
            || conditions.into_iter().filter(|condition| *condition).count() > 1
    }

    /// Returns whether an alert matches, apart from its position and its words. Each store compares
    /// positions and words in its own way.
    pub fn admits(&self, alert: &Alert) -> bool {
        self.range.admits(alert.raised_at)
            && is_any_of(&self.locations, Some(&alert.location))
            && is_any_of(&self.sources, alert.source.as_ref())
            && is_any_of(&self.statuses, Some(&alert.status.kind()))
            && self.severities.admits(alert.severity)
            && self
                .label_choices()
                .values()
                .all(|choices| choices.iter().any(|label| alert.labels.contains(label)))
    }

    /// Returns the labels, grouped by name. A matching alert has at least one label of each group.
    pub fn label_choices(&self) -> BTreeMap<&LabelName, Vec<&Label>> {
        let mut choices: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for label in &self.labels {
            choices.entry(&label.name).or_default().push(label);
        }
        choices
    }
}

/// Condition on the severity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SeverityFilter {
    /// Every severity.
    #[default]
    Any,
    /// This severity and all worse severities.
    AtLeast(Severity),
    /// One of these severities.
    AnyOf(Vec<Severity>),
}

impl SeverityFilter {
    /// Returns whether a severity matches.
    pub fn admits(&self, severity: Severity) -> bool {
        match self {
            Self::Any => true,
            Self::AtLeast(least) => severity >= *least,
            Self::AnyOf(wanted) => wanted.contains(&severity),
        }
    }

    /// Returns the severities that match, or an empty list if all match.
    pub fn listed(&self) -> Vec<Severity> {
        match self {
            Self::Any => Vec::new(),
            Self::AtLeast(least) => least.and_worse().collect(),
            Self::AnyOf(wanted) => wanted.clone(),
        }
    }
}

/// Returns whether `wanted` is empty or contains `value`.
fn is_any_of<T: PartialEq>(wanted: &[T], value: Option<&T>) -> bool {
    wanted.is_empty() || value.is_some_and(|value| wanted.contains(value))
}

/// Selects chat messages. A message must meet all conditions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageQuery {
    /// Range and size of the page.
    pub range: HistoryRange,
    /// Search in the text of an item: each word of the search must be a prefix of a word of the
    /// text.
    pub search: Search,
    /// Alert to whose thread the message must belong; if `None`, any message matches.
    pub alert_id: Option<AlertId>,
}

impl MessageQuery {
    /// Selects the newest `limit` items, without other conditions.
    pub fn newest(limit: usize) -> Self {
        Self { range: HistoryRange::newest(limit), ..Self::default() }
    }

    /// Returns whether a store may have to examine messages that do not match; see
    /// [`AlertQuery::is_search`].
    pub fn is_search(&self) -> bool {
        self.range.is_search() || !self.search.is_empty()
    }

    /// Returns whether a message matches, apart from its position and its words.
    pub fn admits(&self, message: &ChatMessage) -> bool {
        self.range.admits(message.sent_at)
            && self.alert_id.is_none_or(|id| message.alert_id == Some(id))
    }
}

/// Range and size of a page. A page has at most `limit` items: the oldest items after `after` if
/// `after` is set, and otherwise the newest items. The position of an item is the position of the
/// event that created the item. A position is valid even if its event has been trimmed.
///
/// A page has fewer items if `max_bytes` is reached or if `max_scanned` items were examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryRange {
    /// Maximum number of items.
    pub limit: usize,
    /// Maximum size of all items together, in bytes, as estimated by [`Alert::approximate_bytes`]
    /// or [`ChatMessage::approximate_bytes`]. The first item is returned even if its size is
    /// greater than `max_bytes`.
    pub max_bytes: usize,
    /// Maximum number of items that are examined, including items that do not match. A store that
    /// finds the matching items in an index examines only these items.
    pub max_scanned: usize,
    /// Only items after this position.
    pub after: Option<Position>,
    /// Only items before this position.
    pub before: Option<Position>,
    /// Only items at or before this position. Unlike `before`, this is a condition on the items:
    /// later items do not match, so they are on no page.
    pub as_of: Option<Position>,
    /// Only items created at or after this time.
    pub since: Option<Timestamp>,
    /// Only items created before this time.
    pub until: Option<Timestamp>,
}

impl Default for HistoryRange {
    fn default() -> Self {
        Self {
            limit: 0,
            max_bytes: usize::MAX,
            max_scanned: Self::MAX_SCANNED,
            after: None,
            before: None,
            as_of: None,
            since: None,
            until: None,
        }
    }
}

impl HistoryRange {
    /// Default of `max_scanned`: the number of items that a search can examine in about 50 ms.
    pub const MAX_SCANNED: usize = 32_768;

    /// Selects the newest `limit` items, without other conditions.
    pub fn newest(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    fn is_search(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// Returns whether an item that was created at `began` is within `since` and `until`.
    pub fn admits(&self, began: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= began)
            && self.until.is_none_or(|until| began < until)
    }
}
