//! Readiness: whether the server should receive requests.

use northgate_hub::Hub;
use northgate_services::StoreProbe;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Upper bound of the time for each check.
const PATIENCE: Duration = Duration::from_secs(1);

/// The components that readiness depends on.
#[derive(Clone)]
pub struct Readiness {
    hub: Hub,
    store: StoreProbe,
    stopping: CancellationToken,
    failed: CancellationToken,
}

/// Reason why the server is not ready.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// A stop was requested.
    #[error("The server is stopping.")]
    Stopping,
    /// A required component has ended, so the server is about to stop.
    #[error("A component of the server has failed; the server is stopping.")]
    PartFailed,
    /// The store did not answer a query within the time limit.
    #[error("The store does not answer.")]
    StoreSilent,
    /// The store cannot write now, with its reason.
    #[error("The store cannot write now: {0}.")]
    Store(String),
    /// The fan-out has not caught up with the log within the time limit.
    #[error("The fan-out has not caught up with the store.")]
    FanOut,
}

impl Readiness {
    /// The server is ready until `stopping` or `failed` is cancelled, while the store answers and
    /// can write, and while `hub` keeps up.
    pub fn new(
        hub: Hub,
        store: StoreProbe,
        stopping: CancellationToken,
        failed: CancellationToken,
    ) -> Self {
        Self { hub, store, stopping, failed }
    }

    /// Checks every component.
    pub(crate) async fn check(&self) -> Result<(), NotReady> {
        if self.failed.is_cancelled() {
            return Err(NotReady::PartFailed);
        }
        if self.stopping.is_cancelled() {
            return Err(NotReady::Stopping);
        }
        // This check comes before the query, because the error of this check states why the store
        // may not answer the query.
        self.store.is_writable().map_err(NotReady::Store)?;
        let asked = timeout(PATIENCE, self.store.answers()).await;
        asked.ok().and_then(Result::ok).ok_or(NotReady::StoreSilent)?;
        timeout(PATIENCE, self.hub.caught_up()).await.map_err(|_| NotReady::FanOut)
    }
}
