//! Signals, and the end of the process in time, on a thread that nothing else can block.

use crate::stopping::{EXIT_WITHIN, PROCESS_WITHIN};
use crate::{Outputs, PART_FAILED};
use rustix::process::Signal as Number;
use std::future::pending;
use std::io;
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Lets a write past the limit on the size of files fail like a write to a full disk. Without a
/// listener, SIGXFSZ would end the process without a word.
pub fn survive_file_size_limit() -> io::Result<()> {
    let runtime = runtime()?;
    let _context = runtime.enter();
    // The handler outlives this listener and the runtime.
    signal(SignalKind::from_raw(Number::XFSZ.as_raw())).map(drop)
}

/// A request to stop, and how it becomes more urgent.
#[derive(Debug, Clone)]
pub struct StopRequest {
    /// Who asked, for the log.
    pub asked_by: &'static str,
    /// Cancelled when the stop should wait for nobody any more.
    pub hurry: CancellationToken,
}

impl From<&'static str> for StopRequest {
    /// A request that never becomes urgent.
    fn from(asked_by: &'static str) -> Self {
        Self { asked_by, hurry: CancellationToken::new() }
    }
}

/// How far a server is on its way to the end, for the thread that sees to it.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Cancelled when the delay before the stop is over.
    pub(crate) draining: CancellationToken,
    /// Cancelled when a part has failed.
    pub(crate) failed: CancellationToken,
}

/// The signals that this process gets: the first SIGTERM or SIGINT is a [`StopRequest`], the second
/// one makes it urgent, and the third one ends the process. SIGHUP is ignored. Once asked to stop,
/// the process ends within 8 seconds (and the delay) even if its other threads are blocked.
#[derive(Debug)]
pub struct Signals {
    asked_by: watch::Receiver<Option<&'static str>>,
    hurry: CancellationToken,
    progress: oneshot::Sender<Progress>,
}

impl Signals {
    /// Starts to listen. `drain_delay` is what the server waits after the first signal.
    pub fn listen(drain_delay: Duration, outputs: Outputs) -> io::Result<Self> {
        let runtime = runtime()?;
        let listeners = {
            let _context = runtime.enter();
            Listeners::register()?
        };
        let (asks, asked_by) = watch::channel(None);
        let hurry = CancellationToken::new();
        let (progress, progressed) = oneshot::channel();
        let attendant = Attendant {
            asks,
            hurry: hurry.clone(),
            failed: CancellationToken::new(),
            count: 0,
            exit_at: None,
            drain_delay,
            outputs,
        };
        let run = move || runtime.block_on(attendant.run(listeners, progressed));
        thread::Builder::new().name("signals".to_owned()).spawn(run)?;
        Ok(Self { asked_by, hurry, progress })
    }

    /// The first signal to stop the server whose `progress` this is.
    pub async fn stop_request(self, progress: Progress) -> StopRequest {
        let Self { mut asked_by, hurry, progress: sender } = self;
        // An error means that the thread is gone, which ends the wait below.
        let _ = sender.send(progress);
        let asked_by = asked_by.wait_for(Option::is_some).await.ok().and_then(|signal| *signal);
        // A server that sees no signals could not be stopped later.
        let asked_by = asked_by.unwrap_or("the end of the thread for signals");
        StopRequest { asked_by, hurry }
    }
}

struct Listeners {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Listeners {
    fn register() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            Some(()) = self.terminate.recv() => "SIGTERM",
            Some(()) = self.interrupt.recv() => "SIGINT",
            Some(()) = self.hangup.recv() => "SIGHUP",
            else => pending().await,
        }
    }
}

/// The thread's state.
struct Attendant {
    asks: watch::Sender<Option<&'static str>>,
    hurry: CancellationToken,
    failed: CancellationToken,
    /// Signals to stop so far.
    count: u32,
    /// When the process ends whether it has finished or not.
    exit_at: Option<Instant>,
    drain_delay: Duration,
    outputs: Outputs,
}

impl Attendant {
    /// Attends to signals until the process ends.
    async fn run(mut self, mut listeners: Listeners, progress: oneshot::Receiver<Progress>) {
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
                signal = listeners.next() => self.attend(signal),
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
                    tracing::warn!(limit_seconds, "the stop took too long; the process ends now");
                    self.exit();
                }
            }
        }
    }

    fn attend(&mut self, signal: &'static str) {
        if signal == "SIGHUP" {
            tracing::info!(signal, "ignored: the configuration is read at the start only");
            return;
        }
        self.count += 1;
        match self.count {
            1 => {
                self.exit_within(self.drain_delay.saturating_add(PROCESS_WITHIN));
                self.asks.send_replace(Some(signal));
            }
            2 => {
                tracing::info!(signal, "asked again: the stop is sped up");
                self.exit_within(PROCESS_WITHIN);
                self.hurry.cancel();
            }
            _ => {
                tracing::warn!(signal, "asked a third time: the process ends now");
                self.exit();
            }
        }
    }

    /// Lets the process end after `span` at the latest.
    fn exit_within(&mut self, span: Duration) {
        // A span beyond what the clock can show is no limit.
        let Some(exit_at) = Instant::now().checked_add(span) else { return };
        self.exit_at = Some(self.exit_at.map_or(exit_at, |earlier| earlier.min(exit_at)));
    }

    /// Ends the process without its main thread.
    fn exit(&self) {
        self.outputs.flush();
        std::process::exit(if self.failed.is_cancelled() { PART_FAILED.into() } else { 0 });
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
