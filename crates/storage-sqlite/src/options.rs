//! The options of a store.

use crate::lane::MOST_WAITING;
use northgate_domain::Epoch;
use northgate_storage::Capacity;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

/// Options with which a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Epoch of a new log, drawn at random. An existing log keeps its epoch.
    pub epoch_if_new: Epoch,
    /// Upper bound of the number of items, for each kind separately.
    pub capacity: Capacity,
    /// How long events are retained in the log. The alerts and messages of older events stay.
    pub retain_for: Duration,
    /// Upper bound in bytes of the database and its write-ahead log together; `None` is no bound.
    pub retain_bytes: Option<NonZeroU64>,
    /// Number of threads in each of three groups: readers of the log, cheap queries, and searches.
    /// Each thread has its own connection.
    pub readers: NonZeroUsize,
    /// Upper bound of the calls of `append` that one commit stores. A value above 1,024 has no
    /// effect, because at most 1,024 calls wait for the writer.
    pub appends_per_commit: NonZeroUsize,
}

impl Options {
    /// Default of the number of retained events.
    pub const RETAIN_EVENTS: NonZeroUsize = NonZeroUsize::new(1_000_000).unwrap();
    /// Default of how long events are retained.
    pub const RETAIN_FOR: Duration = Duration::from_hours(30 * 24);

    /// Default of the calls of `append` that one commit stores.
    pub const APPENDS_PER_COMMIT: NonZeroUsize = NonZeroUsize::new(MOST_WAITING).unwrap();

    /// Returns the defaults: one million items of each kind, events for 30 days, no bound in bytes,
    /// and two readers of each kind.
    pub const fn new(epoch_if_new: Epoch) -> Self {
        const MILLION: NonZeroUsize = Options::RETAIN_EVENTS;
        const READERS: NonZeroUsize = NonZeroUsize::new(2).unwrap();
        let capacity =
            Capacity { events: MILLION, alerts: MILLION, messages: MILLION, keys: MILLION };
        Self {
            epoch_if_new,
            capacity,
            retain_for: Self::RETAIN_FOR,
            retain_bytes: None,
            readers: READERS,
            appends_per_commit: Self::APPENDS_PER_COMMIT,
        }
    }
}
