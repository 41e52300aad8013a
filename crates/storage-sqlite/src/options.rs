//! What a store is opened with.

use crate::lane::MOST_WAITING;
use northgate_domain::Epoch;
use northgate_storage::Capacity;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

/// How a store is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The name of the log, drawn at random, if there is none in the folder yet. A log that is
    /// there keeps the name that it has.
    pub epoch_if_new: Epoch,
    /// How much is held, each kind by itself.
    pub capacity: Capacity,
    /// How long events are held in the log. What they led to, alerts and messages, stays.
    pub retain_for: Duration,
    /// The most bytes of the database and its write-ahead log together; `None` is no bound.
    pub retain_bytes: Option<NonZeroU64>,
    /// How many threads read the log, how many answer cheap questions, and how many search, each
    /// with a connection of its own.
    pub readers: NonZeroUsize,
    /// How many calls of `append` one commit may keep. More than the 1,024 that can wait for the
    /// writer are never there to be kept together.
    pub appends_per_commit: NonZeroUsize,
}

impl Options {
    /// How many events are held where nobody says so.
    pub const RETAIN_EVENTS: NonZeroUsize = NonZeroUsize::new(1_000_000).unwrap();
    /// How long events are held where nobody says so.
    pub const RETAIN_FOR: Duration = Duration::from_hours(30 * 24);

    /// How many calls of `append` one commit may keep where nobody says so.
    pub const APPENDS_PER_COMMIT: NonZeroUsize = NonZeroUsize::new(MOST_WAITING).unwrap();

    /// A million of each kind, events for 30 days, no bound in bytes, and two readers of
    /// each kind.
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
