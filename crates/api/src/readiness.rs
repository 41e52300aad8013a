//! Whether the server should be sent requests.

use northgate_hub::Hub;
use northgate_services::{AlertQuery, AlertService};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long each part may take to show that it is well.
const PATIENCE: Duration = Duration::from_secs(1);

/// What readiness depends on.
#[derive(Clone)]
pub struct Readiness {
    hub: Hub,
    keeping: watch::Receiver<bool>,
    stopping: CancellationToken,
}

/// Why the server should not be sent requests now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// It is about to stop.
    #[error("The server is stopping.")]
    Stopping,
    /// What was asked of the store was not answered.
    #[error("The store does not answer.")]
    Store,
    /// The last thing that was to be kept could not be.
    #[error("The store cannot keep anything now. It tries again by itself; look at its disk.")]
    Keeping,
    /// What was kept is not on its way to everyone.
    #[error("The fan-out is behind.")]
    FanOut,
}

impl Readiness {
    /// Ready until `stopping` is cancelled, as long as the store answers, `keeping` says that it
    /// can keep what comes, and `hub` keeps up.
    pub fn new(hub: Hub, keeping: watch::Receiver<bool>, stopping: CancellationToken) -> Self {
        Self { hub, keeping, stopping }
    }

    /// Asks every part.
    pub(crate) async fn check(&self, alerts: &AlertService) -> Result<(), NotReady> {
        if self.stopping.is_cancelled() {
            return Err(NotReady::Stopping);
        }
        match timeout(PATIENCE, alerts.history(AlertQuery::newest(0))).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return Err(NotReady::Store),
        }
        if !*self.keeping.borrow() {
            return Err(NotReady::Keeping);
        }
        timeout(PATIENCE, self.hub.caught_up()).await.map_err(|_| NotReady::FanOut)
    }
}
