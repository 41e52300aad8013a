//! Queries of what outlives the window of events: the alerts as they stand, and the messages.

use crate::{
    Alert, AlertId, ChatMessage, Label, LabelName, Location, Position, Search, Severity, Source,
    StatusKind, Timestamp,
};
use std::collections::BTreeMap;

/// Which alerts to give. The conditions are joined by *and*.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertQuery {
    /// The part of the matching items.
    pub range: HistoryRange,
    /// Words that the items must have, each by its beginning.
    pub search: Search,
    /// Where they were raised: at one of these, or anywhere if there are none.
    pub locations: Vec<Location>,
    /// Which system raised them: one of these, or any or none if there are none.
    pub sources: Vec<Source>,
    /// Where they stand: at one of these, or anywhere if there are none.
    pub statuses: Vec<StatusKind>,
    /// How bad they are.
    pub severities: SeverityFilter,
    /// Of each name that stands here, the alert has one of the values that stand here.
    pub labels: Vec<Label>,
}

impl AlertQuery {
    /// The newest `limit` of all.
    pub fn newest(limit: usize) -> Self {
        Self { range: HistoryRange::newest(limit), ..Self::default() }
    }

    /// Whether items may have to be passed in vain to find those that match. One condition alone
    /// is none: an index leads to its items, and to nothing else.
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

    /// Whether an alert matches, wherever it stands. Its words are not looked at: each store has
    /// its own way to find them.
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

    /// The labels by their names: an alert has one of each.
    pub fn label_choices(&self) -> BTreeMap<&LabelName, Vec<&Label>> {
        let mut choices: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for label in &self.labels {
            choices.entry(&label.name).or_default().push(label);
        }
        choices
    }
}

/// Which severities match.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SeverityFilter {
    /// Every severity.
    #[default]
    Any,
    /// This severity and all that are worse.
    AtLeast(Severity),
    /// One of these.
    AnyOf(Vec<Severity>),
}

impl SeverityFilter {
    /// Whether a severity matches.
    pub fn admits(&self, severity: Severity) -> bool {
        match self {
            Self::Any => true,
            Self::AtLeast(least) => severity >= *least,
            Self::AnyOf(wanted) => wanted.contains(&severity),
        }
    }

    /// The severities that match; empty if all do.
    pub fn listed(&self) -> Vec<Severity> {
        match self {
            Self::Any => Vec::new(),
            Self::AtLeast(least) => least.and_worse().collect(),
            Self::AnyOf(wanted) => wanted.clone(),
        }
    }
}

/// Whether `value` is among those that are wanted, or nothing special is.
fn is_any_of<T: PartialEq>(wanted: &[T], value: Option<&T>) -> bool {
    wanted.is_empty() || value.is_some_and(|value| wanted.contains(value))
}

/// Which chat messages to give. The conditions are joined by *and*.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageQuery {
    /// The part of the matching items.
    pub range: HistoryRange,
    /// Words that the items must have, each by its beginning.
    pub search: Search,
    /// Only those that belong to the thread of this alert.
    pub alert_id: Option<AlertId>,
}

impl MessageQuery {
    /// The newest `limit` of all.
    pub fn newest(limit: usize) -> Self {
        Self { range: HistoryRange::newest(limit), ..Self::default() }
    }

    /// As [`AlertQuery::is_search`].
    pub fn is_search(&self) -> bool {
        self.range.is_search() || !self.search.is_empty()
    }

    /// Whether a message matches, wherever it stands and whatever its words.
    pub fn admits(&self, message: &ChatMessage) -> bool {
        self.range.admits(message.sent_at)
            && self.alert_id.is_none_or(|id| message.alert_id == Some(id))
    }
}

/// Which part of a history to give: at most `limit` items, the oldest of those after `after` if it
/// is given, and else the newest. An item stands where it began, and only that counts: a position
/// whose event was trimmed is as good as any.
///
/// A part ends early when it reaches `max_bytes` or when `max_scanned` items were examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryRange {
    /// The most items.
    pub limit: usize,
    /// The most bytes of all items together, by [`Alert::approximate_bytes`] and its like. The
    /// first item is given whatever its size.
    pub max_bytes: usize,
    /// The most items that are examined, matching or not. A store that finds matching items in an
    /// index examines only those.
    pub max_scanned: usize,
    /// Only items that stand after this position.
    pub after: Option<Position>,
    /// Only items that stand before this position; one that stands at it is left out.
    pub before: Option<Position>,
    /// Only items that began at this moment or later.
    pub since: Option<Timestamp>,
    /// Only items that began before this moment.
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
            since: None,
            until: None,
        }
    }
}

impl HistoryRange {
    /// How many items a search may examine before its part ends: some 50 ms of work.
    pub const MAX_SCANNED: usize = 32_768;

    /// The newest `limit` of all.
    pub fn newest(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    fn is_search(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// Whether an item that began at this moment matches.
    pub fn admits(&self, began: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= began)
            && self.until.is_none_or(|until| began < until)
    }
}
