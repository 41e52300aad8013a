//! What a store is opened with.

use northgate_domain::Epoch;
use northgate_storage::Capacity;
use std::num::NonZeroUsize;

/// How a store is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The name of the log, drawn at random, if there is none in the folder yet. A log that is
    /// there keeps the name that it has.
    pub epoch_if_new: Epoch,
    /// How much is held, each kind by itself.
    pub capacity: Capacity,
    /// How many threads read the log, and how many look through histories, each with a connection
    /// of its own.
    pub readers: NonZeroUsize,
}

impl Options {
    /// A million of each kind, and two readers of each kind.
    pub const fn new(epoch_if_new: Epoch) -> Self {
        const MILLION: NonZeroUsize = NonZeroUsize::new(1_000_000).unwrap();
        const READERS: NonZeroUsize = NonZeroUsize::new(2).unwrap();
        let capacity =
            Capacity { events: MILLION, alerts: MILLION, messages: MILLION, keys: MILLION };
        Self { epoch_if_new, capacity, readers: READERS }
    }
}
