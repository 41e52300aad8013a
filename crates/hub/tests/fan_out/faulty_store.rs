//! A store whose reads fail or hang while a test wants it so.

use async_trait::async_trait;
use northgate_domain::{Alert, AlertId, ChatMessage, Event, Position, Stamped};
use northgate_storage::{
    AlertQuery, AppendError, EventStore, MemoryStore, MessageQuery, Outcome, ReadError, ReadFrom,
    Snapshot, Submission, Unavailable,
};
use parking_lot::Mutex;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::watch;

/// What becomes of a read.
#[derive(Clone, Copy)]
pub(crate) enum Reads {
    Pass,
    Fail,
    Hang,
}

pub(crate) struct FaultyStore {
    inner: MemoryStore,
    reads: Mutex<Reads>,
    asked: AtomicUsize,
}

impl FaultyStore {
    pub(crate) fn new(inner: MemoryStore) -> Self {
        Self { inner, reads: Mutex::new(Reads::Pass), asked: AtomicUsize::new(0) }
    }

    pub(crate) fn let_reads(&self, reads: Reads) {
        *self.reads.lock() = reads;
    }

    /// How many reads there were since the last time this was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }
}

#[async_trait]
impl EventStore for FaultyStore {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        self.inner.append(submissions).await
    }

    async fn read(&self, from: ReadFrom, limit: usize) -> Result<Vec<Stamped<Event>>, ReadError> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        assert!(asked < 1_000, "a store that fails is asked again without a pause");
        let reads = *self.reads.lock();
        match reads {
            Reads::Pass => self.inner.read(from, limit).await,
            Reads::Fail => Err(ReadError::Unavailable(Unavailable)),
            Reads::Hang => pending().await,
        }
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
