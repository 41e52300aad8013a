//! A probe for readiness checks: whether the store answers queries, and whether it can append.

use crate::LookupError;
use northgate_domain::AlertQuery;
use northgate_storage::EventStore;
use std::sync::Arc;

/// Probes one store. Clones probe the same store.
#[derive(Clone)]
pub struct StoreProbe(Arc<dyn EventStore>);

impl StoreProbe {
    /// Creates a probe of `store`.
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self(store)
    }

    /// Returns whether the store can append now. The error states the reason for the administrator.
    pub fn is_writable(&self) -> Result<(), String> {
        self.0.is_writable().map_err(|error| error.to_string())
    }

    /// Sends a query with limit 0 to the store and waits for the result.
    pub async fn answers(&self) -> Result<(), LookupError> {
        self.0.alerts(AlertQuery::newest(0)).await?;
        Ok(())
    }
}
