//! Counters of the writes of a store, for log lines and tests.

use crate::session::Unreadable;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Number of commits with appends that changed the database.
    pub commits: u64,
    /// Number of events in these commits.
    pub events: u64,
    /// How often a stored record could not be decoded.
    pub unreadable: u64,
}

/// The counters that the writer updates.
#[derive(Default)]
pub(crate) struct WriteStatistics {
    commits: AtomicU64,
    events: AtomicU64,
    pub(crate) unreadable: Arc<Unreadable>,
}

impl WriteStatistics {
    /// Counts one commit of `events` events.
    pub(crate) fn count(&self, events: u64) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.events.fetch_add(events, Ordering::Relaxed);
    }

    /// Returns the current counts.
    pub(crate) fn written(&self) -> Written {
        Written {
            commits: self.commits.load(Ordering::Relaxed),
            events: self.events.load(Ordering::Relaxed),
            unreadable: self.unreadable.count(),
        }
    }
}
