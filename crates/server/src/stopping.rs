//! The end of a server: nothing that was answered is lost, everyone is told, and nobody can hold
//! the exit.

use actix_web::dev::{Server, ServerHandle};
use northgate_hub::Hub;
use northgate_services::AlertService;
use northgate_storage::GatedStore;
use northgate_storage_sqlite::{SqliteStore, Written};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What runs beside the HTTP server, and how each part is told to stop.
pub(crate) struct Running {
    pub(crate) store: Arc<GatedStore>,
    pub(crate) alerts: AlertService,
    /// The store on disk behind the gate, if there is one: its threads are to end.
    pub(crate) database: Option<Arc<SqliteStore>>,
    pub(crate) hub: Hub,
    /// How long to go on before anything stops.
    pub(crate) drain_delay: Duration,
    /// Cancelled first: the server is not ready from then on.
    pub(crate) stopping: CancellationToken,
    /// The generator and the timer: what acts by itself.
    pub(crate) sources_stop: CancellationToken,
    pub(crate) pump_stop: CancellationToken,
    /// The generator, the timer and the pump.
    pub(crate) background: TaskTracker,
    /// The reading half of every WebSocket.
    pub(crate) sockets: TaskTracker,
}

impl Running {
    /// The most time from the signal (and the delay, if one is set) to the exit.
    pub(crate) const GRACE: Duration = Duration::from_secs(8);
    /// The most time that each step of the drain gets: what is stuck must not keep the others from
    /// being told.
    const STEP: Duration = Duration::from_secs(1);

    /// Stops everything in order. `server` is driven along, since its own shutdown runs in it.
    pub(crate) async fn stop(self, handle: ServerHandle, mut server: Pin<&mut Server>) {
        self.stopping.cancel();
        // The workers go on by themselves; nothing is asked of the server future meanwhile.
        sleep(self.drain_delay).await;
        let deadline = Instant::now() + Self::GRACE;
        let orderly = async {
            handle.pause().await;
            self.drain().await;
            handle.stop(true).await;
        };
        // The server future ends when its stop is complete; an error there ends it as well.
        let all = async { tokio::join!(orderly, async { server.as_mut().await.is_ok() }) };
        // The last step is for the tasks: they end by themselves once nobody is connected.
        if timeout_at(deadline - Self::STEP, all).await.is_err() {
            tracing::warn!("some connections did not end in time and were cut");
        }
        self.pump_stop.cancel();
        self.background.close();
        self.sockets.close();
        let tasks = async {
            self.hub.stop_workers().await;
            self.background.wait().await;
            self.sockets.wait().await;
        };
        if timeout_at(deadline, tasks).await.is_err() {
            tracing::warn!("some tasks did not end in time");
        }
        // The last, since cursors and the pump read to their ends. What was answered is on disk
        // anyway: a disk that hangs does not hold the exit.
        if let Some(database) = &self.database {
            if timeout_at(deadline, database.close()).await.is_err() {
                tracing::warn!("the store on disk did not close in time");
            }
            let Written { commits, events, unreadable } = database.written();
            tracing::info!(commits, events, unreadable, "written to disk since the start");
        }
    }

    /// Appends end, the pump reaches the head, and every cursor gives what is left.
    async fn drain(&self) {
        self.sources_stop.cancel();
        if timeout(Self::STEP, self.alerts.flush()).await.is_err() {
            tracing::warn!("repeats that waited could not be kept in time");
        }
        if timeout(Self::STEP, self.store.close()).await.is_err() {
            tracing::warn!("the store did not answer everything in time");
        }
        if timeout(Self::STEP, self.hub.caught_up()).await.is_err() {
            tracing::warn!("not everything that was kept could be read in time to be sent");
        }
        self.hub.drain();
        if timeout(Self::STEP, self.hub.cursors_gone()).await.is_err() {
            tracing::warn!(
                connections = self.hub.cursors(),
                "some connections did not take their last events in time"
            );
        }
        self.hub.end();
    }
}
