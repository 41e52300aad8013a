//! A page of alerts or messages: the result of a query.

use crate::{Position, Positioned};

/// A page of alerts or messages, with the log position that it reflects. A client that applies the
/// stream after that position to the collection at that position has the current state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage<T> {
    /// Position of the newest event that the items reflect.
    pub position: Position,
    /// Matching items, oldest first.
    pub items: Vec<Positioned<T>>,
    /// Whether older items match too, including items at or before
    /// [`after`](crate::HistoryRange::after). Also true if the scan stopped early and more items
    /// may match.
    pub has_older: bool,
    /// Whether newer items match too. If both `after` and [`before`](crate::HistoryRange::before)
    /// are set, only items before `before` count. Also true if the scan stopped early and more
    /// items may match.
    pub has_newer: bool,
    /// Position where the scan stopped, if it stopped before the page was full. The scan examined
    /// every item from its start to this position, inclusive. The next page starts here and not at
    /// the last item.
    pub examined_to: Option<Position>,
}
