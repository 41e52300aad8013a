//! The end of a server: nothing that was answered is lost, everyone is told, and nobody can hold
//! the exit.

use crate::stop_request::StopRequest;
use crate::supervisor::{PartFailure, Supervisor};
use actix_web::dev::ServerHandle;
use northgate_hub::Hub;
use northgate_services::AlertService;
use northgate_storage::{ClosableLog, EventStore};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The most time from the signal (and the delay, if one is set) to the end of the process. Each
/// deadline below leaves time for what comes after it; the last one leaves it for what is written.
pub(crate) const EXIT_WITHIN: Duration = Duration::from_secs(8);
/// When connections that are still open are cut.
pub(crate) const CONNECTIONS_WITHIN: Duration = Duration::from_secs(6);
/// When tasks that still run are left behind.
const TASKS_WITHIN: Duration = Duration::from_millis(6_600);
/// When a store that has not closed is left behind.
const STORE_WITHIN: Duration = Duration::from_millis(7_200);
/// When the process ends, whatever blocks it.
pub(crate) const PROCESS_WITHIN: Duration = Duration::from_millis(7_500);

/// What runs beside the HTTP server, and how each part is told to stop.
pub(crate) struct Running {
    pub(crate) log: Arc<ClosableLog>,
    pub(crate) alerts: AlertService,
    /// The store behind the log, which is closed last.
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) hub: Hub,
    /// How long to go on before anything stops.
    pub(crate) drain_delay: Duration,
    /// Cancelled first: the server is not ready from then on.
    pub(crate) stopping: CancellationToken,
    /// Cancelled when the delay is over: the time to the exit runs.
    pub(crate) draining: CancellationToken,
    /// The generator, the timer and added parts: all that acts by itself.
    pub(crate) sources_stop: CancellationToken,
    /// The HTTP server with its worker threads, and the store.
    pub(crate) server_stop: CancellationToken,
    pub(crate) pump_stop: CancellationToken,
    /// Owns the generator, the timer, added parts, the pump, and the HTTP server.
    pub(crate) supervisor: Supervisor,
    /// The reading half of every WebSocket.
    pub(crate) sockets: TaskTracker,
}

impl Running {
    /// What runs beside the HTTP server; nothing is told to stop yet.
    pub(crate) fn new(
        log: Arc<ClosableLog>,
        alerts: AlertService,
        store: Arc<dyn EventStore>,
        hub: Hub,
        drain_delay: Duration,
    ) -> Self {
        Self {
            log,
            alerts,
            store,
            hub,
            drain_delay,
            stopping: CancellationToken::new(),
            draining: CancellationToken::new(),
            sources_stop: CancellationToken::new(),
            server_stop: CancellationToken::new(),
            pump_stop: CancellationToken::new(),
            supervisor: Supervisor::default(),
            sockets: TaskTracker::new(),
        }
    }

    /// The most time that each step of the drain gets: what is stuck must not keep the others from
    /// being told.
    const STEP: Duration = Duration::from_secs(1);
    /// The same in a hurry.
    const SHORT_STEP: Duration = Duration::from_millis(250);

    /// Stops everything in order. An error says that a part failed before it was told to stop.
    pub(crate) async fn stop(
        self,
        handle: ServerHandle,
        request: &StopRequest,
    ) -> Result<(), PartFailure> {
        self.stopping.cancel();
        let is_hurried = self.delay(request).await;
        self.draining.cancel();
        let start = Instant::now();
        // A request to hurry that ended the delay has had its effect.
        let hurry =
            async { if is_hurried { pending().await } else { request.hurry.cancelled().await } };
        let orderly = async {
            handle.pause().await;
            self.drain().await;
            self.server_stop.cancel();
            handle.stop(true).await;
        };
        let tasks_by = tokio::select! {
            done = timeout_at(start + CONNECTIONS_WITHIN, orderly) => {
                if done.is_err() {
                    tracing::warn!("some connections did not end in time and were cut");
                }
                start + TASKS_WITHIN
            }
            () = hurry => {
                tracing::info!(connections = self.hub.cursors(), "streams are ended at once");
                self.cut().await;
                Instant::now() + Self::SHORT_STEP
            }
        };
        self.end_tasks(tasks_by).await;
        self.close_store(start + STORE_WITHIN).await;
        self.supervisor.failure().map_or(Ok(()), Err)
    }

    /// Goes on for the delay, and says whether a request to hurry cut it. A failed part cuts it too.
    async fn delay(&self, request: &StopRequest) -> bool {
        if self.drain_delay.is_zero() {
            // A request to hurry that has come already is one for the drain.
            return false;
        }
        // The workers go on by themselves.
        tokio::select! {
            biased;
            () = self.supervisor.failed().cancelled() => false,
            () = request.hurry.cancelled() => {
                tracing::info!("the delay is cut short");
                true
            }
            () = sleep(self.drain_delay) => false,
        }
    }

    /// Appends end, the pump reaches the head, and every cursor gives what is left.
    async fn drain(&self) {
        self.end_appends(Self::STEP).await;
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

    /// Ends every stream at once. Appends under way are answered all the same, if they can be soon.
    async fn cut(&self) {
        self.server_stop.cancel();
        self.hub.end();
        self.end_appends(Self::SHORT_STEP).await;
    }

    async fn end_appends(&self, step: Duration) {
        self.sources_stop.cancel();
        if timeout(step, self.alerts.flush()).await.is_err() {
            tracing::warn!("repeats that waited could not be kept in time");
        }
        if timeout(step, self.log.close()).await.is_err() {
            tracing::warn!("the store did not answer everything in time");
        }
    }

    /// Tasks end by themselves once nobody is connected.
    async fn end_tasks(&self, deadline: Instant) {
        // Not cancelled yet if the drain did not come that far.
        self.server_stop.cancel();
        self.pump_stop.cancel();
        self.sockets.close();
        let tasks = async {
            self.hub.stop_workers().await;
            self.supervisor.all_ended().await;
            self.sockets.wait().await;
        };
        if timeout_at(deadline, tasks).await.is_err() {
            tracing::warn!("some tasks did not end in time");
        }
    }

    /// The last step, since cursors and the pump read to their ends. What was answered is on disk
    /// anyway: a disk that hangs does not hold the exit.
    async fn close_store(&self, deadline: Instant) {
        if timeout_at(deadline, self.store.close()).await.is_err() {
            tracing::warn!("the store did not close in time");
        }
    }
}
