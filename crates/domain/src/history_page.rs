//! The page of a history that answers a query.

use crate::{Position, Positioned};

/// A page of a history together with the position of the log that it reflects: *the collection at
/// p* plus *the stream after p* is the present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage<T> {
    /// The newest event that the items reflect.
    pub position: Position,
    /// The items, oldest first.
    pub items: Vec<Positioned<T>>,
    /// Whether older ones match as well, before [`after`](crate::HistoryRange::after) too. After a scan that
    /// stopped early nobody knows, and this says that they may.
    pub has_older: bool,
    /// Whether newer ones match as well: before [`before`](crate::HistoryRange::before) if both ends are given,
    /// and else wherever they stand. After a scan that stopped early this says that they may.
    pub has_newer: bool,
    /// Where the scan ended, if it ended before it had filled the part: every item between its
    /// beginning and this position, inclusive, was examined. The next part begins here and not at
    /// the last item.
    pub examined_to: Option<Position>,
}
