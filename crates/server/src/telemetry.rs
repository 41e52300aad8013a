//! What the process writes: log lines on standard error, one per event that is worth one and never
//! a body, and the address on standard output.

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

/// How long the exit waits for a reader that stalls.
const FLUSH_WITHIN: Duration = Duration::from_millis(200);
/// The most characters of a panic's message in the log.
const MAX_PANIC_CHARS: usize = 300;

/// Standard output and standard error of a process that serves. Neither can block it.
#[derive(Debug, Clone)]
pub(crate) struct Outputs {
    stdout: Output,
    stderr: Output,
}

/// Sends the log lines of this process to standard error. A second call starts threads of its own,
/// and leaves the log lines with the first.
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
        // A line that cannot be formatted is not worth a panic.
        .log_internal_errors(false);
    let subscriber = tracing_subscriber::registry()
        .with(EnvFilter::new(settings.level.filter()))
        .with(RepeatFilter(outputs.stderr.clone()))
        .with(lines);
    // An error means that lines are written already, as in tests with several servers.
    let _ = subscriber.try_init();
    Ok(outputs)
}

impl Outputs {
    /// Writes a line to standard output.
    pub(crate) fn print(&self, line: &str) {
        self.stdout.push(line);
    }

    /// Writes to standard error, in one line and whatever the log level, why the server ends.
    pub(crate) fn report(&self, error: &dyn Error) {
        self.stderr.push(&format!("northgate: {error}"));
    }

    /// Waits until everything is written, for 200 ms at most.
    pub(crate) fn flush(&self) {
        let deadline = tokio::time::Instant::now() + FLUSH_WITHIN;
        for output in [&self.stderr, &self.stdout] {
            output.flush(deadline.saturating_duration_since(tokio::time::Instant::now()));
        }
    }
}

/// Makes a panic one log line instead of a stack trace. A connection's panic ends that connection;
/// the line says where and why, for whoever mends it.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("a value that is not text");
        let message: String = message.chars().take(MAX_PANIC_CHARS).collect();
        tracing::error!(place, panic.message = message, "a panic ended what was under way");
    }));
}

/// Drops the lines of a callsite that logs too often.
struct RepeatFilter(Output);

impl<S: Subscriber> Layer<S> for RepeatFilter {
    fn event_enabled(&self, event: &Event<'_>, _context: Context<'_, S>) -> bool {
        self.0.admits(event)
    }
}
