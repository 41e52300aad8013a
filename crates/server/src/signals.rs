//! Handling of signals, and the deadline of the exit, on a separate thread that no other code
//! blocks.

mod listeners;
mod signal_loop;

use crate::stop_request::{Progress, StopRequest};
use crate::telemetry::Outputs;
use listeners::Listeners;
use rustix::process::Signal as Number;
use signal_loop::SignalLoop;
use std::io;
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

/// Makes a write beyond the file size limit fail like a write to a full disk. Without a handler,
/// SIGXFSZ would end the process without any output.
pub(crate) fn survive_file_size_limit() -> io::Result<()> {
    let runtime = runtime()?;
    let _context = runtime.enter();
    // The handler outlives this listener and the runtime.
    signal(SignalKind::from_raw(Number::XFSZ.as_raw())).map(drop)
}

/// The signals of this process. The first SIGTERM or SIGINT (or SIGQUIT, SIGPWR, SIGXCPU) is a
/// [`StopRequest`], the second one makes it urgent, and the third one ends the process. SIGHUP,
/// SIGUSR1 and similar signals are logged and ignored. After a request to stop, the process ends
/// within 8 seconds (plus the drain delay), even if its other threads are blocked.
#[derive(Debug)]
pub(crate) struct Signals {
    asked_by: watch::Receiver<Option<&'static str>>,
    hurry: CancellationToken,
    progress: oneshot::Sender<Progress>,
}

impl Signals {
    /// Starts the thread that listens. The server still serves for `drain_delay` after the first
    /// signal.
    pub(crate) fn listen(drain_delay: Duration, outputs: Outputs) -> io::Result<Self> {
        let runtime = runtime()?;
        let listeners = {
            let _context = runtime.enter();
            Listeners::register()?
        };
        let (asks, asked_by) = watch::channel(None);
        let hurry = CancellationToken::new();
        let (progress, progressed) = oneshot::channel();
        let signal_loop = SignalLoop::new(asks, hurry.clone(), drain_delay, outputs);
        let run = move || runtime.block_on(signal_loop.run(listeners, progressed));
        thread::Builder::new().name("signals".to_owned()).spawn(run)?;
        Ok(Self { asked_by, hurry, progress })
    }

    /// Waits for the first stop signal. `progress` is the shutdown progress of the server that the
    /// request stops.
    pub(crate) async fn stop_request(self, progress: Progress) -> StopRequest {
        let Self { mut asked_by, hurry, progress: sender } = self;
        // An error means that the thread has ended, which also ends the wait below.
        let _ = sender.send(progress);
        let asked_by = asked_by.wait_for(Option::is_some).await.ok().and_then(|signal| *signal);
        // Without the signal thread, no signal could stop the server later. So the server stops
        // now.
        let asked_by = asked_by.unwrap_or("the end of the signal thread");
        StopRequest { asked_by, hurry }
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
