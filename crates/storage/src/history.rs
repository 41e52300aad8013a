//! Questions about what outlives the window of events: the alerts as they stand, and the messages.

use crate::Unavailable;
use northgate_domain::{
    Alert, AlertId, ChatMessage, Label, LabelName, Location, Position, Search, Severity, Source,
    StatusKind, Timestamp,
};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Which alerts to give. The conditions are joined by *and*.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertQuery {
    /// Which part of those that match.
    pub range: HistoryRange,
    /// What their words must begin with.
    pub search: Search,
    /// Where they were raised: at one of these, or anywhere if there are none.
    pub locations: Vec<Location>,
    /// Which system raised them: one of these, or any or none if there are none.
    pub sources: Vec<Source>,
    /// Where they stand: at one of these, or anywhere if there are none.
    pub statuses: Vec<StatusKind>,
    /// How bad they are: one of these, or any if there are none.
    pub severities: Vec<Severity>,
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
            !severities.is_empty(),
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
            && is_any_of(&self.severities, Some(&alert.severity))
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

/// Whether `value` is among those that are wanted, or nothing special is.
fn is_any_of<T: PartialEq>(wanted: &[T], value: Option<&T>) -> bool {
    wanted.is_empty() || value.is_some_and(|value| wanted.contains(value))
}

/// Which chat messages to give. The conditions are joined by *and*.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageQuery {
    /// Which part of those that match.
    pub range: HistoryRange,
    /// What their words must begin with.
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

    /// How to find this part in a log whose newest event stands at `head`. Refuses positions that
    /// the log never gave out.
    pub fn walk(&self, head: Position) -> Result<ScanPlan, QueryError> {
        let ours = |p: &Position| p.epoch == head.epoch && p.offset <= head.offset;
        if !self.after.iter().chain(&self.before).all(ours) {
            return Err(QueryError::Foreign);
        }
        // Nothing stands at offset 0: it is the place before all.
        let first = self.after.map_or(1, |after| after.offset + 1);
        let last = self.before.map_or(head.offset, |before| before.offset.saturating_sub(1));
        let upwards = self.after.is_some();
        let beyond = if upwards { 1..=first - 1 } else { last + 1..=head.offset };
        Ok(ScanPlan {
            position: head,
            limit: self.limit,
            max_bytes: self.max_bytes,
            upwards,
            offsets: first..=last,
            beyond,
        })
    }

    fn is_search(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    fn admits(&self, began: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= began)
            && self.until.is_none_or(|until| began < until)
    }
}

/// How a store finds a part of a history: the same for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPlan {
    position: Position,
    limit: usize,
    max_bytes: usize,
    /// Whether to walk from the oldest on, and not from the newest.
    pub upwards: bool,
    /// The offsets of what the part may hold; empty if it ends before it begins.
    pub offsets: RangeInclusive<u64>,
    /// The offsets on the other side of where the walk begins.
    pub beyond: RangeInclusive<u64>,
}

impl ScanPlan {
    /// How many items to look for: one more than is given tells that there are more.
    pub fn wanted(&self) -> usize {
        self.limit.saturating_add(1)
    }

    /// A part without room, which is full with the first item that matches: for the question
    /// whether any does.
    pub fn probe<T>(&self) -> Part<T> {
        Part { limit: 0, ..self.part() }
    }

    /// An empty part, to be filled with what is found on the way.
    pub fn part<T>(&self) -> Part<T> {
        Part {
            items: Vec::new(),
            limit: self.limit,
            bytes_left: self.max_bytes,
            is_full: false,
            examined_to: None,
        }
    }

    /// The answer; `more_beyond` says whether anything that matches may stand
    /// [beyond](Self::beyond) the beginning of the walk.
    pub fn end<T>(self, part: Part<T>, more_beyond: bool) -> Snapshot<T> {
        let more = part.may_go_on();
        let Part { mut items, examined_to, .. } = part;
        let (has_older, has_newer) = if self.upwards {
            (more_beyond, more)
        } else {
            items.reverse();
            (more, more_beyond)
        };
        let Self { position, .. } = self;
        let examined_to = examined_to.map(|offset| Position { offset, ..position });
        Snapshot { position, items, has_older, has_newer, examined_to }
    }
}

/// The items of a part, in the order of the walk, while it is being filled.
#[derive(Debug)]
pub struct Part<T> {
    items: Vec<T>,
    limit: usize,
    bytes_left: usize,
    is_full: bool,
    examined_to: Option<u64>,
}

impl<T> Part<T> {
    /// Adds an item of so many bytes. Returns false if there was no room for it: the part is full,
    /// and more match.
    pub fn push(&mut self, item: T, bytes: usize) -> bool {
        let fits = bytes <= self.bytes_left || (self.items.is_empty() && self.limit > 0);
        if self.items.len() == self.limit || !fits {
            self.is_full = true;
            return false;
        }
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        self.items.push(item);
        true
    }

    /// Ends the part at an offset up to which every item was examined, though more may match
    /// after it.
    pub fn stop_at(&mut self, offset: u64) {
        self.examined_to = Some(offset);
    }

    /// Whether more items match than the part holds, or might if the scan had not stopped.
    pub fn may_go_on(&self) -> bool {
        self.is_full || self.examined_to.is_some()
    }
}

/// A part of a history together with the position of the log that it reflects: *the collection at
/// p* plus *the stream after p* is the present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot<T> {
    /// The newest event that the items reflect.
    pub position: Position,
    /// The items, oldest first.
    pub items: Vec<T>,
    /// Whether older ones match as well, before [`HistoryRange::after`] too. After a scan that
    /// stopped early nobody knows, and this says that they may.
    pub has_older: bool,
    /// Whether newer ones match as well: before [`HistoryRange::before`] if both ends are given,
    /// and else wherever they stand. After a scan that stopped early this says that they may.
    pub has_newer: bool,
    /// Where the scan ended, if it ended before it had filled the part: every item between its
    /// beginning and this position, inclusive, was examined. The next part begins here and not at
    /// the last item.
    pub examined_to: Option<Position>,
}

/// Why there is no part of a history to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A position in the query is of another log, or lies beyond the head of this one.
    #[error("the position is not of this log")]
    Foreign,
    /// The answer was not found in time.
    #[error("the query took too long")]
    TooSlow,
    /// The store cannot answer now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
