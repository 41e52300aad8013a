//! A log wrapper for an orderly shutdown: after a close, the wrapper refuses appends.

use crate::{AppendError, EventLog, Outcome, ReadError, ReadFrom, Submission};
use async_trait::async_trait;
use northgate_domain::{Event, Position, Positioned};
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

/// A log that can be closed. After [`close`](Self::close), every append returns
/// [`AppendError::Unavailable`]. Reads still reach the inner log.
pub struct ClosableLog {
    inner: Arc<dyn EventLog>,
    /// Counts the running appends. The log is closed when this tracker is closed.
    appends: TaskTracker,
}

impl ClosableLog {
    /// Wraps `inner`. The log is open at first.
    pub fn new(inner: Arc<dyn EventLog>) -> Self {
        Self { inner, appends: TaskTracker::new() }
    }

    /// Closes the log and waits until every running append has returned. Afterwards no append
    /// through this wrapper moves the head.
    pub async fn close(&self) {
        self.appends.close();
        self.appends.wait().await;
    }
}

#[async_trait]
impl EventLog for ClosableLog {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        // The token is acquired before the check. So either `close` waits for this append, or this
        // append sees that the log is closed.
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
