//! The memory store obeys every law of the port, alone and behind the wrappers of its log.

use northgate_domain::{Epoch, MetaSource};
use northgate_storage::laws::{Harness, WrappedStore};
use northgate_storage::{
    Capacity, ClosableLog, EventStore, MemoryFactory, PacedLog, StoreFactory, event_store_laws,
};
use std::error::Error;
use std::sync::Arc;

struct Plain;

impl Harness for Plain {
    fn factory(&self, capacity: Capacity) -> Arc<dyn StoreFactory> {
        Arc::new(MemoryFactory(capacity))
    }
}

/// The wrappers that the server uses: paced by a reader that is never behind, and closable.
struct Wrapping(Capacity);

#[async_trait::async_trait]
impl StoreFactory for Wrapping {
    async fn open(
        &self,
        meta: MetaSource,
        new_epoch: Epoch,
    ) -> Result<Arc<dyn EventStore>, Box<dyn Error + Send + Sync>> {
        let store = MemoryFactory(self.0).open(meta, new_epoch).await?;
        let paced = PacedLog::new(store.clone(), store.head(), 0);
        Ok(Arc::new(WrappedStore { log: Arc::new(ClosableLog::new(Arc::new(paced))), store }))
    }
}

struct Wrapped;

impl Harness for Wrapped {
    fn factory(&self, capacity: Capacity) -> Arc<dyn StoreFactory> {
        Arc::new(Wrapping(capacity))
    }
}

mod memory {
    use super::*;
    event_store_laws!(Plain);
}

mod wrapped {
    use super::*;
    event_store_laws!(Wrapped);
}
