//! The pump: a task that follows the store's tail and encodes every event once.

use crate::frame::{Encoder, Entry};
use crate::frame_log::FrameLog;
use northgate_domain::Position;
use northgate_storage::{EventLog, ReadError, tail};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pause before the next attempt to read a store that could not be read.
pub(crate) const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Drives a [`Hub`](crate::Hub). Its [`run`](Pump::run) is the only task that appends to the shared
/// log.
pub struct Pump {
    store: Arc<dyn EventLog>,
    log: Arc<FrameLog>,
    encoder: Encoder,
    start: Position,
}

impl Pump {
    pub(crate) fn new(
        store: Arc<dyn EventLog>,
        log: Arc<FrameLog>,
        encoder: Encoder,
        start: Position,
    ) -> Self {
        Self { store, log, encoder, start }
    }

    /// Runs until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        stop.run_until_cancelled(self.follow()).await;
    }

    async fn follow(self) {
        let mut tail = tail(self.store.clone(), self.start);
        loop {
            match tail.next().await {
                Ok(events) => {
                    let entries = events.iter().map(|event| Entry::encode(event, self.encoder));
                    self.log.extend(entries.collect());
                    // A store that always has more events must not block this thread's other tasks.
                    tokio::task::yield_now().await;
                }
                Err(ReadError::Gap { latest, .. }) => {
                    tracing::error!("the store trimmed events before they were sent");
                    self.log.restart(latest);
                    tail = northgate_storage::tail(self.store.clone(), latest);
                    tokio::task::yield_now().await;
                }
                Err(ReadError::Unavailable(error)) => {
                    tracing::warn!(%error, "cannot read events from the store; trying again");
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }
}
