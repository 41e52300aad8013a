//! Output of the process: log lines, which never contain a body, on standard error, and the address
//! on standard output.

mod buffer;
mod output;
mod repeats;

use crate::LogSection;
use output::Output;
use std::error::Error;
use std::io::{self, IsTerminal, stderr, stdout};
use std::time::Duration;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Time that the exit waits for a stalled reader of the outputs.
const FLUSH_WITHIN: Duration = Duration::from_millis(200);
/// Upper bound of characters of a panic's message in the log.
const MAX_PANIC_CHARS: usize = 300;

/// Standard output and standard error of a server process. A stalled reader cannot block the
/// server.
#[derive(Debug, Clone)]
pub(crate) struct Outputs {
    stdout: Output,
    stderr: Output,
}

/// Sends the log lines of this process to standard error. A second call starts new threads, but the
/// log lines still go to the threads of the first call.
pub(crate) fn start_logging(settings: &LogSection) -> io::Result<Outputs> {
    let outputs = Outputs {
        stdout: Output::start("standard output", stdout())?,
        stderr: Output::start("standard error", stderr())?,
    };
    let stderr_output = outputs.stderr.clone();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(move || stderr_output.clone())
        .with_ansi(stderr().is_terminal())
        .with_target(false)
        // A line that cannot be formatted must not cause a panic.
        .log_internal_errors(false);
    let subscriber = tracing_subscriber::registry()
        .with(EnvFilter::new(settings.level.filter()))
        .with(RepeatFilter(outputs.stderr.clone()))
        .with(lines);
    // An error means that logging runs already, as in tests with several servers.
    let _ = subscriber.try_init();
    Ok(outputs)
}

impl Outputs {
    /// Writes a line to standard output.
    pub(crate) fn print(&self, line: &str) {
        self.stdout.push(line);
    }

    /// Writes one line with the reason of the end to standard error. The log level does not filter
    /// this line.
    pub(crate) fn report(&self, error: &dyn Error) {
        self.stderr.push(&format!("northgate: {error}"));
    }

    /// Waits until all lines are written, for at most 200 ms.
    pub(crate) fn flush(&self) {
        let deadline = tokio::time::Instant::now() + FLUSH_WITHIN;
        for output in [&self.stderr, &self.stdout] {
            output.flush(deadline.saturating_duration_since(tokio::time::Instant::now()));
        }
    }
}

/// Logs each panic as one line, with its source location and message, instead of a stack trace. A
/// panic in the task of a connection ends only that connection.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("(the panic has no text)");
        let message: String = message.chars().take(MAX_PANIC_CHARS).collect();
        tracing::error!(place, panic.message = message, "a panic ended a task");
    }));
}

/// Drops log lines of a callsite that logs too often.
struct RepeatFilter(Output);

impl<S: Subscriber> Layer<S> for RepeatFilter {
    fn event_enabled(&self, event: &Event<'_>, _context: Context<'_, S>) -> bool {
        self.0.admits(event)
    }
}
