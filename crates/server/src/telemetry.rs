//! Log lines on standard error: one per event that is worth one, and never a body.

use crate::LogSection;
use std::io::{IsTerminal, stderr};
use tracing_subscriber::EnvFilter;

/// Sends the log lines of this process to standard error. A second call changes nothing.
pub fn start_logging(settings: &LogSection) {
    let lines = tracing_subscriber::fmt()
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_target(false)
        // A line that nobody takes is not worth a panic: the library would tell standard error.
        .log_internal_errors(false)
        .with_env_filter(EnvFilter::new(settings.level.filter()));
    // An error means that lines are written already, as in tests with several servers.
    let _ = lines.try_init();
}

/// Makes a panic one log line instead of a stack trace. A connection's panic ends that connection;
/// the line says where, for whoever mends it.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic ended what was under way");
    }));
}
