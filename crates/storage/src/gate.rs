//! A store that can stop taking events: what makes the end of a server orderly.

use crate::{
    AlertQuery, AppendError, EventStore, MessageQuery, Outcome, ReadError, ReadFrom, Snapshot,
    Submission, Unavailable,
};
use async_trait::async_trait;
use northgate_domain::{Alert, AlertId, ChatMessage, Event, Position, Stamped};
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

/// Another store behind a gate. Reads always pass; once the gate is closed, appends are answered
/// [`AppendError::Unavailable`].
pub struct GatedStore {
    inner: Arc<dyn EventStore>,
    /// Counts the appends under way; closed when the gate is.
    appends: TaskTracker,
}

impl GatedStore {
    /// Puts a gate, still open, before `inner`.
    pub fn new(inner: Arc<dyn EventStore>) -> Self {
        Self { inner, appends: TaskTracker::new() }
    }

    /// Closes the gate, and returns once every append that was let through has been answered.
    /// From then on the head does not move by this process.
    pub async fn close(&self) {
        self.appends.close();
        self.appends.wait().await;
    }
}

#[async_trait]
impl EventStore for GatedStore {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        // Counted before the gate is looked at: `close` either waits for us, or we see it closed.
        let _under_way = self.appends.token();
        if self.appends.is_closed() {
            return Err(AppendError::Unavailable);
        }
        self.inner.append(submissions).await
    }

    async fn read(&self, from: ReadFrom, limit: usize) -> Result<Vec<Stamped<Event>>, ReadError> {
        self.inner.read(from, limit).await
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.inner.head()
    }

    async fn alerts(&self, query: AlertQuery) -> Result<Snapshot<Stamped<Alert>>, Unavailable> {
        self.inner.alerts(query).await
    }

    async fn messages(
        &self,
        query: MessageQuery,
    ) -> Result<Snapshot<Stamped<ChatMessage>>, Unavailable> {
        self.inner.messages(query).await
    }

    async fn alert(&self, id: AlertId) -> Result<Option<Stamped<Alert>>, Unavailable> {
        self.inner.alert(id).await
    }
}
