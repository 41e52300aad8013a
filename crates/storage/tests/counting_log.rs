//! The wrapper of a log that docs/EXTENDING.md shows, byte for byte, with the laws that it obeys.

use async_trait::async_trait;
use northgate_domain::{Event, Position, Positioned};
use northgate_storage::{AppendError, EventLog, Outcome, ReadError, ReadFrom, Submission};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

struct CountingLog {
    inner: Arc<dyn EventLog>,
    appended: AtomicU64,
}

#[async_trait]
impl EventLog for CountingLog {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        let outcomes = self.inner.append(submissions).await?;
        let appended =
            outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Appended { .. }));
        self.appended.fetch_add(appended.count() as u64, Ordering::Relaxed);
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
}

#[cfg(test)]
mod laws {
    use super::CountingLog;
    use northgate_domain::{Epoch, MetaSource};
    use northgate_storage::laws::{Harness, WrappedStore};
    use northgate_storage::{Capacity, EventStore, MemoryStore, StoreFactory, event_store_laws};
    use std::error::Error;
    use std::sync::Arc;

    struct Counted(Capacity);

    #[async_trait::async_trait]
    impl StoreFactory for Counted {
        async fn open(
            &self,
            meta: MetaSource,
            new_epoch: Epoch,
        ) -> Result<Arc<dyn EventStore>, Box<dyn Error + Send + Sync>> {
            let store = Arc::new(MemoryStore::new(new_epoch, self.0, meta));
            let log = Arc::new(CountingLog { inner: store.clone(), appended: 0.into() });
            Ok(Arc::new(WrappedStore { log, store }))
        }
    }

    struct Counting;

    impl Harness for Counting {
        fn factory(&self, capacity: Capacity) -> Arc<dyn StoreFactory> {
            Arc::new(Counted(capacity))
        }
    }

    event_store_laws!(Counting);
}
