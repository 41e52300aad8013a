//! Whether the store answers, and whether it can append: for readiness probes.

use crate::LookupError;
use northgate_domain::AlertQuery;
use northgate_storage::EventStore;
use std::sync::Arc;

/// Asks a store how it is. Clones ask the same store.
#[derive(Clone)]
pub struct StoreProbe(Arc<dyn EventStore>);

impl StoreProbe {
    /// Asks `store`.
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self(store)
    }

    /// Whether the store can append now; the error is the reason, for a person.
    pub fn is_writable(&self) -> Result<(), String> {
        self.0.is_writable().map_err(|error| error.to_string())
    }

    /// Asks the store for nothing, and waits for the answer.
    pub async fn answers(&self) -> Result<(), LookupError> {
        self.0.alerts(AlertQuery::newest(0)).await?;
        Ok(())
    }
}
