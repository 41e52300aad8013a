//! A probe of whether the store answers and can append, for readiness checks.

use crate::LookupError;
use northgate_domain::AlertQuery;
use northgate_storage::EventStore;
use std::sync::Arc;

/// Probes a store. Clones probe the same store.
#[derive(Clone)]
pub struct StoreProbe(Arc<dyn EventStore>);

impl StoreProbe {
    /// Creates a probe of `store`.
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self(store)
    }

    /// Returns whether the store can append now. The error is the reason, for the administrator.
    pub fn is_writable(&self) -> Result<(), String> {
        self.0.is_writable().map_err(|error| error.to_string())
    }

    /// Sends an empty query to the store and waits for the answer.
    pub async fn answers(&self) -> Result<(), LookupError> {
        self.0.alerts(AlertQuery::newest(0)).await?;
        Ok(())
    }
}
