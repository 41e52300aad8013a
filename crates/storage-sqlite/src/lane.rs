//! The ways to the threads of a store.

use parking_lot::Mutex;
use std::fs::File;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// The most appends that wait for the next transaction. When so many wait, further callers wait to
/// hand theirs over.
pub(crate) const MOST_WAITING: usize = 1_024;

/// Each thread owns one until it has closed its connection: the lock of the folder, and a place
/// in the count of running threads. Fields are dropped in their order.
#[derive(Clone)]
pub(crate) struct ThreadGuard {
    pub(crate) _lock: Arc<File>,
    pub(crate) _running: TaskTrackerToken,
}

/// The way into a bounded channel, which can be closed while others are in it.
pub(crate) struct Lane<T>(Mutex<Option<mpsc::Sender<T>>>);

impl<T> Lane<T> {
    pub(crate) fn new(sender: mpsc::Sender<T>) -> Self {
        Self(Mutex::new(Some(sender)))
    }

    /// A place in it; `None` once it is closed.
    pub(crate) fn enter(&self) -> Option<mpsc::Sender<T>> {
        self.0.lock().clone()
    }

    /// Lets nobody in any more. The other end is reached once those inside are through.
    pub(crate) fn close(&self) {
        *self.0.lock() = None;
    }
}
