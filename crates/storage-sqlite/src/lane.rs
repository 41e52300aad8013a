//! Bounded channels to the threads of a store.

use parking_lot::Mutex;
use std::fs::File;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Upper bound of the appends that wait for the next transaction. When the channel is full, further
/// callers wait.
pub(crate) const MOST_WAITING: usize = 1_024;

/// Keeps the folder locked and counts a thread as running. Each thread owns one `ThreadGuard` until
/// it has closed its connection. Fields are dropped in their order, so the lock is released before
/// the thread stops counting as running.
#[derive(Clone)]
pub(crate) struct ThreadGuard {
    pub(crate) _lock: Arc<File>,
    pub(crate) _running: TaskTrackerToken,
}

/// The sending side of a bounded channel. A lane can be closed while callers are still sending.
pub(crate) struct Lane<T>(Mutex<Option<mpsc::Sender<T>>>);

impl<T> Lane<T> {
    pub(crate) fn new(sender: mpsc::Sender<T>) -> Self {
        Self(Mutex::new(Some(sender)))
    }

    /// Returns a sender, or `None` if the lane is closed.
    pub(crate) fn enter(&self) -> Option<mpsc::Sender<T>> {
        self.0.lock().clone()
    }

    /// Refuses further callers. The receiver ends when all callers that already have a sender are
    /// done.
    pub(crate) fn close(&self) {
        *self.0.lock() = None;
    }
}
