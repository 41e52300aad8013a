//! How much a store has written, for log lines and tests.

use crate::session::Unreadable;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much was written since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Transactions that changed something.
    pub commits: u64,
    /// Events in them.
    pub events: u64,
    /// How many times a stored record could not be read.
    pub unreadable: u64,
}

/// Counts what the writer does.
#[derive(Default)]
pub(crate) struct WriteStatistics {
    commits: AtomicU64,
    events: AtomicU64,
    pub(crate) unreadable: Arc<Unreadable>,
}

impl WriteStatistics {
    /// Counts one more commit, of so many events.
    pub(crate) fn count(&self, events: u64) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.events.fetch_add(events, Ordering::Relaxed);
    }

    /// The counts so far.
    pub(crate) fn written(&self) -> Written {
        Written {
            commits: self.commits.load(Ordering::Relaxed),
            events: self.events.load(Ordering::Relaxed),
            unreadable: self.unreadable.count(),
        }
    }
}
