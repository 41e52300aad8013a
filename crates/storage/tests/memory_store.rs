//! The memory store keeps every law of the port, alone and behind a gate.

use northgate_domain::{Epoch, Stamps};
use northgate_storage::laws::Harness;
use northgate_storage::{Capacity, EventStore, GatedStore, MemoryStore, event_store_laws};
use std::sync::Arc;

struct InMemory;

#[async_trait::async_trait]
impl Harness for InMemory {
    async fn open(&self, capacity: Capacity, stamps: Arc<dyn Stamps>) -> Arc<dyn EventStore> {
        Arc::new(MemoryStore::new(Epoch::new(7), capacity, stamps))
    }
}

struct BehindAGate;

#[async_trait::async_trait]
impl Harness for BehindAGate {
    async fn open(&self, capacity: Capacity, stamps: Arc<dyn Stamps>) -> Arc<dyn EventStore> {
        Arc::new(GatedStore::new(InMemory.open(capacity, stamps).await))
    }
}

mod memory {
    use super::*;
    event_store_laws!(InMemory);
}

mod gated {
    use super::*;
    event_store_laws!(BehindAGate);
}
