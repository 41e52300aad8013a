//! A log whose appends wait for a reader that is too far behind: backpressure.

use crate::{AppendError, EventLog, Outcome, ReadError, ReadFrom, Submission};
use async_trait::async_trait;
use northgate_domain::{Event, Position, Positioned};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// The most that an append waits for the reader. A reader that is stuck must not stop the log.
const PATIENCE: Duration = Duration::from_secs(1);

/// Another log whose appends wait while a reader is more than some events behind the head. A store
/// of bounded size would otherwise trim, under a burst, events that its reader has not read.
pub struct PacedLog {
    inner: Arc<dyn EventLog>,
    head: watch::Receiver<Position>,
    reader: watch::Receiver<Position>,
    lag: u64,
}

impl PacedLog {
    /// Wraps `inner`. `reader` is the position that the reader has reached, and `lag` the most
    /// events that it may be behind.
    pub fn new(inner: Arc<dyn EventLog>, reader: watch::Receiver<Position>, lag: u64) -> Self {
        let head = inner.head();
        Self { inner, head, reader, lag }
    }

    async fn wait_for_reader(&self) {
        if self.is_near() {
            return;
        }
        let mut reader = self.reader.clone();
        let catching_up = async {
            // Looked at anew by everyone who waited: between this and the append nothing waits,
            // so they do not all pass at once. An error means that the reader is gone.
            while !self.is_near() && reader.changed().await.is_ok() {}
        };
        // Too late: a stuck reader is not waited for any longer.
        let _ = timeout(PATIENCE, catching_up).await;
    }

    fn is_near(&self) -> bool {
        let head = self.head.borrow().offset;
        head.saturating_sub(self.reader.borrow().offset) <= self.lag
    }
}

#[async_trait]
impl EventLog for PacedLog {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        self.wait_for_reader().await;
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
