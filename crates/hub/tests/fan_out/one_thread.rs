//! A hub and its pump on one thread, where a test decides when they run.

use crate::client::{Client, LIVE_EVERY};
use crate::sample::{ENCODER, append, memory_store};
use northgate_domain::{Position, Subscription};
use northgate_hub::{Cursor, Hub, WindowLimits, Worker};
use northgate_storage::EventLog;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::task::{JoinSet, LocalSet, yield_now};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Runs a test in a `LocalSet`. The clock advances only when every task waits, so a test that waits
/// without an end fails immediately.
pub(crate) fn on_one_thread(test: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        timeout(Duration::from_hours(1), test)
            .await
            .expect("the test finishes within 1 h of its clock");
    });
}

/// Lets the pump and the workers of this thread run until they wait.
pub(crate) async fn settled() {
    for _ in 0..16 {
        yield_now().await;
    }
}

/// A hub with a running pump and one worker.
pub(crate) struct Running {
    pub(crate) store: Arc<dyn EventLog>,
    pub(crate) hub: Hub,
    pub(crate) worker: Worker,
    pub(crate) stop: CancellationToken,
    pub(crate) pump: JoinSet<()>,
}

impl Running {
    pub(crate) fn new(limits: WindowLimits) -> Self {
        Self::over(Arc::new(memory_store(10_000)), limits)
    }

    pub(crate) fn over(store: Arc<dyn EventLog>, limits: WindowLimits) -> Self {
        let (hub, pump) = Hub::new(store.clone(), limits, ENCODER);
        let stop = CancellationToken::new();
        let mut pumps = JoinSet::new();
        pumps.spawn_local(pump.run(stop.clone()));
        let worker = hub.worker();
        Self { store, hub, worker, stop, pump: pumps }
    }

    /// Appends `count` events in one batch, and lets them reach the workers.
    pub(crate) async fn append(&self, count: usize) {
        append(self.store.as_ref(), count).await;
        settled().await;
    }

    pub(crate) fn position(&self, offset: u64) -> Position {
        Position { offset, ..self.worker.head() }
    }

    /// Creates a client with this subscription.
    pub(crate) fn client(&self, subscription: Subscription) -> Client {
        let live_every = subscription.is_announced().then_some(LIVE_EVERY);
        Client::new(self.worker.stream(subscription, live_every))
    }

    /// Creates a cursor that returns every event after this offset.
    pub(crate) fn cursor(&self, offset: u64) -> Cursor {
        self.worker.cursor(self.position(offset))
    }
}
