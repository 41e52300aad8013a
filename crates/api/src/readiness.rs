//! Whether the server should be sent requests.

use northgate_hub::Hub;
use northgate_services::StoreProbe;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long each part may take to show that it is well.
const PATIENCE: Duration = Duration::from_secs(1);

/// What readiness depends on.
#[derive(Clone)]
pub struct Readiness {
    hub: Hub,
    store: StoreProbe,
    stopping: CancellationToken,
    failed: CancellationToken,
}

/// Why the server should not be sent requests now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// It is about to stop.
    #[error("The server is stopping.")]
    Stopping,
    /// A part that it cannot do without has ended, so it is about to stop.
    #[error("A part of the server has failed; the server is stopping.")]
    PartFailed,
    /// What was asked of the store was not answered.
    #[error("The store does not answer.")]
    StoreSilent,
    /// Nothing can be kept now.
    #[error("Nothing can be stored now: {0}.")]
    Store(String),
    /// What was kept is not on its way to everyone.
    #[error("The fan-out is behind.")]
    FanOut,
}

impl Readiness {
    /// Ready until `stopping` or `failed` is cancelled, as long as the store answers and
    /// can append, and `hub` keeps up.
    pub fn new(
        hub: Hub,
        store: StoreProbe,
        stopping: CancellationToken,
        failed: CancellationToken,
    ) -> Self {
        Self { hub, store, stopping, failed }
    }

    /// Asks every part.
    pub(crate) async fn check(&self) -> Result<(), NotReady> {
        if self.failed.is_cancelled() {
            return Err(NotReady::PartFailed);
        }
        if self.stopping.is_cancelled() {
            return Err(NotReady::Stopping);
        }
        // First, since it has the reason why the store may not answer.
        self.store.is_writable().map_err(NotReady::Store)?;
        let asked = timeout(PATIENCE, self.store.answers()).await;
        asked.ok().and_then(Result::ok).ok_or(NotReady::StoreSilent)?;
        timeout(PATIENCE, self.hub.caught_up()).await.map_err(|_| NotReady::FanOut)
    }
}
