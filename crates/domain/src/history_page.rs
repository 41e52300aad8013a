//! A page of alerts or messages: the result of a query.

use crate::{Position, Positioned};

/// A page of alerts or messages, with the position of the log at which it was read. A client that
/// has all items as of `position`, and then applies every event after `position`, has the current
/// state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage<T> {
    /// Position of the newest event that the items reflect.
    pub position: Position,
    /// Matching items, oldest first.
    pub items: Vec<Positioned<T>>,
    /// Whether more items match that are older than this page. Items at or before
    /// [`after`](crate::HistoryRange::after) count too. Also true if the scan stopped early and
    /// older items may match.
    pub has_older: bool,
    /// Whether more items match that are newer than this page. If `after` and
    /// [`before`](crate::HistoryRange::before) are both set, only items before `before` count. Also
    /// true if the scan stopped early and newer items may match.
    pub has_newer: bool,
    /// Position where the scan stopped, if it stopped before the page was full. The scan examined
    /// every item up to and including this position. The next page starts at this position, not at
    /// the last item of this page.
    pub examined_to: Option<Position>,
}
