//! A store whose appends can be slowed down and stopped: so that nobody outruns the fan-out, and
//! the end of a server is orderly.

use crate::{
    AlertQuery, AppendError, Deadlines, EventStore, MessageQuery, Outcome, QueryError, ReadError,
    ReadFrom, Snapshot, Submission, Summary, Unavailable,
};
use async_trait::async_trait;
use northgate_domain::{Alert, AlertId, ChatMessage, Event, Position, Positioned};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// The most that an append waits for the follower. A follower that is stuck must not stop what it
/// follows.
const PATIENCE: Duration = Duration::from_secs(1);

/// Another store behind a gate. Reads always pass; once the gate is closed, appends are answered
/// [`AppendError::Unavailable`].
pub struct GatedStore {
    inner: Arc<dyn EventStore>,
    pace: Option<Pace>,
    /// Counts the appends under way; closed when the gate is.
    appends: TaskTracker,
}

impl GatedStore {
    /// Puts a gate, still open, before `inner`.
    pub fn new(inner: Arc<dyn EventStore>) -> Self {
        Self { inner, pace: None, appends: TaskTracker::new() }
    }

    /// Lets an append wait while `follower`, a reader of the log, is more than `lag` events
    /// behind the head. A store of bounded size would otherwise trim, under a burst, what its
    /// reader has not had yet.
    #[must_use]
    pub fn paced_by(mut self, follower: watch::Receiver<Position>, lag: u64) -> Self {
        self.pace = Some(Pace { head: self.inner.head(), follower, lag });
        self
    }

    /// Closes the gate, and returns once every append that was let through has been answered.
    /// From then on the head does not move by this process.
    pub async fn close(&self) {
        self.appends.close();
        self.appends.wait().await;
    }
}

struct Pace {
    head: watch::Receiver<Position>,
    follower: watch::Receiver<Position>,
    lag: u64,
}

impl Pace {
    async fn keep(&self) {
        if self.is_kept() {
            return;
        }
        let mut follower = self.follower.clone();
        let catching_up = async {
            // Looked at anew by everyone who waited: between this and the append nothing waits,
            // so they do not all pass at once. An error means that the follower is gone.
            while !self.is_kept() && follower.changed().await.is_ok() {}
        };
        // Too late: what is stuck is not waited for any longer.
        let _ = timeout(PATIENCE, catching_up).await;
    }

    fn is_kept(&self) -> bool {
        let head = self.head.borrow().offset;
        head.saturating_sub(self.follower.borrow().offset) <= self.lag
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
        if let Some(pace) = &self.pace {
            pace.keep().await;
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

    async fn alerts(&self, query: AlertQuery) -> Result<Snapshot<Positioned<Alert>>, QueryError> {
        self.inner.alerts(query).await
    }

    async fn messages(
        &self,
        query: MessageQuery,
    ) -> Result<Snapshot<Positioned<ChatMessage>>, QueryError> {
        self.inner.messages(query).await
    }

    async fn alert(&self, id: AlertId) -> Result<Option<Positioned<Alert>>, Unavailable> {
        self.inner.alert(id).await
    }

    async fn summary(&self) -> Result<Summary, Unavailable> {
        self.inner.summary().await
    }

    async fn overdue(
        &self,
        deadlines: Deadlines,
        limit: usize,
    ) -> Result<Vec<Positioned<Alert>>, Unavailable> {
        self.inner.overdue(deadlines, limit).await
    }
}
