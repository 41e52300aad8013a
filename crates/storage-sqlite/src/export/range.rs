//! The range of time that an export covers, and the limits that end an export early.

use northgate_domain::Timestamp;
use std::time::Duration;

/// Limits that end an export early. While an export reads, a server cannot reuse its write-ahead
/// log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Longest time during which the consumer may read nothing.
    pub(crate) stalled_for: Duration,
    /// Upper bound in bytes of the growth of the write-ahead log. For a database larger than this
    /// bound, the size of the database is the bound.
    pub(crate) log_growth: u64,
}

/// Range of time to export; by default everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExportRange {
    /// Exports only items that were created at this time or later.
    pub since: Option<Timestamp>,
    /// Exports only items that were created before this time.
    pub until: Option<Timestamp>,
}

impl ExportRange {
    pub(super) fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn admits(&self, began: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= began)
            && self.until.is_none_or(|until| began < until)
    }

    /// Returns the bounds in microseconds since 1970: the first inclusive, the second exclusive.
    pub(super) fn micros(&self) -> (i64, i64) {
        let micros =
            |bound: Option<Timestamp>, unbounded| bound.map_or(unbounded, Timestamp::unix_micros);
        (micros(self.since, i64::MIN), micros(self.until, i64::MAX))
    }
}
