//! Graceful shutdown: no answered write is lost, every client is notified, and nothing can delay
//! the exit without limit.

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

/// Upper bound of the time from the signal (plus the drain delay) to the end of the process. Each
/// deadline below leaves time for the next steps. The last one leaves time to write the log lines.
pub(crate) const EXIT_WITHIN: Duration = Duration::from_secs(8);
/// Time after which connections that are still open are cut.
pub(crate) const CONNECTIONS_WITHIN: Duration = Duration::from_secs(6);
/// Time after which the shutdown no longer waits for tasks.
const TASKS_WITHIN: Duration = Duration::from_millis(6_600);
/// Time after which the shutdown no longer waits for the store to close.
const STORE_WITHIN: Duration = Duration::from_millis(7_200);
/// Time after which the process exits even if a thread is blocked.
pub(crate) const PROCESS_WITHIN: Duration = Duration::from_millis(7_500);

/// The components that run beside the HTTP server, with the tokens that stop them.
pub(crate) struct Running {
    pub(crate) log: Arc<ClosableLog>,
    pub(crate) alerts: AlertService,
    /// The store behind the log. The store is closed last.
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) hub: Hub,
    /// Time that the server still serves before anything stops.
    pub(crate) drain_delay: Duration,
    /// Cancelled first. From then on the readiness probe fails.
    pub(crate) stopping: CancellationToken,
    /// Cancelled when the drain delay is over. All deadlines are measured from that time.
    pub(crate) draining: CancellationToken,
    /// Stops the components that append on their own: the generator, the alert resolver, and added
    /// background components.
    pub(crate) sources_stop: CancellationToken,
    /// Stops the HTTP server with its worker threads, and the supervision of the store.
    pub(crate) server_stop: CancellationToken,
    pub(crate) pump_stop: CancellationToken,
    /// Owns the tasks of the generator, the alert resolver, added background components, the pump,
    /// and the HTTP server.
    pub(crate) supervisor: Supervisor,
    /// Tracks the task that reads from each WebSocket.
    pub(crate) sockets: TaskTracker,
}

impl Running {
    /// Collects the components. No token is cancelled yet.
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

    /// Upper bound of the time of each drain step: a stuck step must not prevent the next ones,
    /// which notify other clients.
    const STEP: Duration = Duration::from_secs(1);
    /// The same bound after a second stop signal.
    const SHORT_STEP: Duration = Duration::from_millis(250);

    /// Stops all components in order. An error means that a component failed before its stop.
    pub(crate) async fn stop(
        self,
        handle: ServerHandle,
        request: &StopRequest,
    ) -> Result<(), PartFailure> {
        self.stopping.cancel();
        let is_hurried = self.delay(request).await;
        self.draining.cancel();
        let start = Instant::now();
        // If a request to hurry has already ended the drain delay, the same request does not also
        // shorten the drain.
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
                tracing::info!(connections = self.hub.cursors(), "ending all streams immediately");
                self.cut().await;
                Instant::now() + Self::SHORT_STEP
            }
        };
        self.end_tasks(tasks_by).await;
        self.close_store(start + STORE_WITHIN).await;
        self.supervisor.failure().map_or(Ok(()), Err)
    }

    /// Waits for the drain delay. Returns whether a request to hurry ended the wait. A failed
    /// component also ends it.
    async fn delay(&self, request: &StopRequest) -> bool {
        if self.drain_delay.is_zero() {
            // A request to hurry that has already arrived shortens the drain instead.
            return false;
        }
        // The worker threads continue to serve meanwhile.
        tokio::select! {
            biased;
            () = self.supervisor.failed().cancelled() => false,
            () = request.hurry.cancelled() => {
                tracing::info!("the drain delay is cut short");
                true
            }
            () = sleep(self.drain_delay) => false,
        }
    }

    /// Ends appends, waits until the pump reaches the head, and lets every cursor send its
    /// remaining events.
    async fn drain(&self) {
        self.end_appends(Self::STEP).await;
        if timeout(Self::STEP, self.hub.caught_up()).await.is_err() {
            tracing::warn!("some stored events were not read in time and are not sent");
        }
        self.hub.drain();
        if timeout(Self::STEP, self.hub.cursors_gone()).await.is_err() {
            tracing::warn!(
                connections = self.hub.cursors(),
                "some connections did not read their last events in time"
            );
        }
        self.hub.end();
    }

    /// Ends every stream immediately. An append in progress is still answered if it ends within the
    /// short time limit.
    async fn cut(&self) {
        self.server_stop.cancel();
        self.hub.end();
        self.end_appends(Self::SHORT_STEP).await;
    }

    async fn end_appends(&self, step: Duration) {
        self.sources_stop.cancel();
        if timeout(step, self.alerts.flush()).await.is_err() {
            tracing::warn!("pending repeats were not stored in time");
        }
        if timeout(step, self.log.close()).await.is_err() {
            tracing::warn!("the store did not complete all appends in time");
        }
    }

    /// Stops the remaining tasks and waits for them until `deadline`.
    async fn end_tasks(&self, deadline: Instant) {
        // This token is not cancelled yet if the drain exceeded its time limit.
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

    /// Closes the store. This is the last step, because cursors and the pump read from the store
    /// until they end. Answered writes are durable already, so a disk that hangs does not delay the
    /// exit.
    async fn close_store(&self, deadline: Instant) {
        if timeout_at(deadline, self.store.close()).await.is_err() {
            tracing::warn!("the store did not close in time");
        }
    }
}
