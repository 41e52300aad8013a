//! Runs every law of the port on the memory store, without wrappers and with the wrappers of its
//! log.

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

/// Opens a memory store with both log wrappers that the server uses. The reader of the paced log is
/// never behind.
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
