//! A wrapper of a log that refuses appends once it is closed, for an orderly shutdown.

use crate::{AppendError, EventLog, Outcome, ReadError, ReadFrom, Submission};
use async_trait::async_trait;
use northgate_domain::{Event, Position, Positioned};
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

/// Wraps a log so that it can be closed. Reads always pass. Once the log is closed, an append
/// returns [`AppendError::Unavailable`].
pub struct ClosableLog {
    inner: Arc<dyn EventLog>,
    /// Counts the running appends; closed together with the log.
    appends: TaskTracker,
}

impl ClosableLog {
    /// Wraps `inner`. The log is open at first.
    pub fn new(inner: Arc<dyn EventLog>) -> Self {
        Self { inner, appends: TaskTracker::new() }
    }

    /// Closes the log and returns once every running append has been answered. Afterwards this
    /// process does not move the head.
    pub async fn close(&self) {
        self.appends.close();
        self.appends.wait().await;
    }
}

#[async_trait]
impl EventLog for ClosableLog {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        // The token is acquired before the check: either `close` waits for this append, or this
        // append finds the log closed.
        let _under_way = self.appends.token();
        if self.appends.is_closed() {
            return Err(AppendError::Unavailable);
        }
        self.inner.append(submissions).await
    }

    async fn read(
        &self,
        from: ReadFrom,
        limit: usize,
    ) -> Result<Vec<Positioned<Event>>, ReadError> {
        self.inner.read(from, limit).await
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.inner.head()
    }
}
