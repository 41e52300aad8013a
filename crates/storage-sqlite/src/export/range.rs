//! The part of a store that an export gives, and when the export ends early.

use northgate_domain::Timestamp;
use std::time::Duration;

/// When an export ends early. While it reads, the server cannot reuse its write-ahead log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// For so long the consumer may take nothing.
    pub(crate) stalled_for: Duration,
    /// So many bytes longer the write-ahead log may become; of a larger database, as many as that
    /// has.
    pub(crate) log_growth: u64,
}

/// Which part of a store to export: by default all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExportRange {
    /// Only what began at this moment or later.
    pub since: Option<Timestamp>,
    /// Only what began before this moment.
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

    /// The bounds in microseconds, as `>=` and `<` take them.
    pub(super) fn micros(&self) -> (i64, i64) {
        let micros =
            |bound: Option<Timestamp>, unbounded| bound.map_or(unbounded, Timestamp::unix_micros);
        (micros(self.since, i64::MIN), micros(self.until, i64::MAX))
    }
}
