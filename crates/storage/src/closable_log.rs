//! A log that takes no more appends once it is closed: the orderly end of a server.

use crate::{AppendError, EventLog, Outcome, ReadError, ReadFrom, Submission};
use async_trait::async_trait;
use northgate_domain::{Event, Position, Positioned};
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

/// Another log that can be closed. Reads always pass; once it is closed, appends are answered
/// [`AppendError::Unavailable`].
pub struct ClosableLog {
    inner: Arc<dyn EventLog>,
    /// Counts the appends under way; closed when the log is.
    appends: TaskTracker,
}

impl ClosableLog {
    /// Wraps `inner`, and is open.
    pub fn new(inner: Arc<dyn EventLog>) -> Self {
        Self { inner, appends: TaskTracker::new() }
    }

    /// Closes the log, and returns once every append under way has been answered. From then on
    /// this process does not move the head.
    pub async fn close(&self) {
        self.appends.close();
        self.appends.wait().await;
    }
}

#[async_trait]
impl EventLog for ClosableLog {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        // Counted before the check: `close` waits for this append, or this append sees it closed.
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
