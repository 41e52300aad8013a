//! Backpressure: a wrapper around a log whose appends wait for a slow reader.

use crate::{AppendError, EventLog, Outcome, ReadError, ReadFrom, Submission};
use async_trait::async_trait;
use northgate_domain::{Event, Position, Positioned};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// Upper bound of the time that an append waits for the reader. A stuck reader must not stop the
/// log.
const PATIENCE: Duration = Duration::from_secs(1);

/// Wraps a log so that appends wait while a reader is more than `lag` events behind the head.
/// Without this wrapper, a store of bounded size would trim events during a burst before the reader
/// has read them.
pub struct PacedLog {
    inner: Arc<dyn EventLog>,
    head: watch::Receiver<Position>,
    reader: watch::Receiver<Position>,
    lag: u64,
}

impl PacedLog {
    /// Wraps `inner`. `reader` is the position that the reader has reached, and `lag` is the number
    /// of events that the reader may be behind.
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
            // Each waiting append checks again after it was woken. There is no await between this
            // check and the append, so waiting appends do not all proceed at the same time.
            // `changed` returns an error if the reader was dropped.
            while !self.is_near() && reader.changed().await.is_ok() {}
        };
        // After a timeout the append proceeds, because a stuck reader must not stop the log.
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
