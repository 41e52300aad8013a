//! The README's store, word for word: it keeps every law.

use async_trait::async_trait;
use northgate_domain::{Alert, AlertId, ChatMessage, Event, Position, Positioned};
use northgate_storage::{
    AlertQuery, AppendError, Deadlines, EventStore, MessageQuery, Outcome, QueryError, ReadError,
    ReadFrom, Snapshot, Submission, Summary, Unavailable,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

struct CountingStore {
    inner: Arc<dyn EventStore>,
    kept: AtomicU64,
}

#[async_trait]
impl EventStore for CountingStore {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        let outcomes = self.inner.append(submissions).await?;
        let kept = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Appended { .. }));
        self.kept.fetch_add(kept.count() as u64, Ordering::Relaxed);
        Ok(outcomes)
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

#[cfg(test)]
mod laws {
    use super::CountingStore;
    use northgate_domain::{Epoch, Stamps};
    use northgate_storage::laws::Harness;
    use northgate_storage::{Capacity, EventStore, MemoryStore, event_store_laws};
    use std::sync::Arc;

    struct Counting;

    #[async_trait::async_trait]
    impl Harness for Counting {
        async fn open(&self, capacity: Capacity, stamps: Arc<dyn Stamps>) -> Arc<dyn EventStore> {
            let inner = Arc::new(MemoryStore::new(Epoch::new(1), capacity, stamps));
            Arc::new(CountingStore { inner, kept: 0.into() })
        }
    }

    event_store_laws!(Counting);
}
