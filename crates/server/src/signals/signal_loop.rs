//! The loop that applies the effect of each signal and enforces the deadline of the exit.

use super::listeners::{Effect, Listeners};
use crate::exit::PART_FAILED;
use crate::stop_request::Progress;
use crate::stopping::{EXIT_WITHIN, PROCESS_WITHIN};
use crate::telemetry::Outputs;
use std::future::pending;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// State of the signal thread.
pub(super) struct SignalLoop {
    asks: watch::Sender<Option<&'static str>>,
    hurry: CancellationToken,
    failed: CancellationToken,
    /// Number of stop signals so far.
    count: u32,
    /// Time at which the process exits, even if the shutdown is not complete.
    exit_at: Option<Instant>,
    drain_delay: Duration,
    outputs: Outputs,
}

impl SignalLoop {
    /// Creates a loop that sends the name of the first stop signal to `asks`, and cancels `hurry`
    /// at the second one.
    pub(super) fn new(
        asks: watch::Sender<Option<&'static str>>,
        hurry: CancellationToken,
        drain_delay: Duration,
        outputs: Outputs,
    ) -> Self {
        let failed = CancellationToken::new();
        Self { asks, hurry, failed, count: 0, exit_at: None, drain_delay, outputs }
    }

    /// Handles signals until the process ends.
    pub(super) async fn run(
        mut self,
        mut listeners: Listeners,
        progress: oneshot::Receiver<Progress>,
    ) {
        let mut progress = std::pin::pin!(progress);
        let mut draining = CancellationToken::new();
        let (mut is_attached, mut is_draining) = (false, false);
        loop {
            let exit_at = self.exit_at;
            let exit = async {
                match exit_at {
                    Some(exit_at) => sleep_until(exit_at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                (signal, effect) = listeners.next() => self.handle(signal, effect),
                attached = &mut progress, if !is_attached => {
                    is_attached = true;
                    if let Ok(progress) = attached {
                        draining = progress.draining;
                        self.failed = progress.failed;
                    }
                }
                () = draining.cancelled(), if !is_draining => {
                    is_draining = true;
                    self.exit_within(PROCESS_WITHIN);
                }
                () = exit => {
                    let limit_seconds = EXIT_WITHIN.as_secs();
                    tracing::warn!(limit_seconds, "the shutdown took too long; the process exits");
                    self.exit();
                }
            }
        }
    }

    fn handle(&mut self, signal: &'static str, effect: Effect) {
        if effect == Effect::Ignore {
            tracing::info!(signal, "signal ignored; the configuration is read only at start");
            return;
        }
        self.count += 1;
        match self.count {
            1 => {
                self.exit_within(self.drain_delay.saturating_add(PROCESS_WITHIN));
                self.asks.send_replace(Some(signal));
            }
            2 => {
                tracing::info!(signal, "second stop signal; the shutdown is shortened");
                self.exit_within(PROCESS_WITHIN);
                self.hurry.cancel();
            }
            _ => {
                tracing::warn!(signal, "third stop signal; the process ends now");
                self.exit();
            }
        }
    }

    /// Sets the deadline of the exit to `span` from now, unless an earlier one is set.
    fn exit_within(&mut self, span: Duration) {
        // A span beyond the range of the clock means no deadline.
        let Some(exit_at) = Instant::now().checked_add(span) else { return };
        self.exit_at = Some(self.exit_at.map_or(exit_at, |earlier| earlier.min(exit_at)));
    }

    /// Ends the process from this thread.
    fn exit(&self) {
        self.outputs.flush();
        std::process::exit(if self.failed.is_cancelled() { PART_FAILED.into() } else { 0 });
    }
}
