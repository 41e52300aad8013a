//! Messages between a server and the code that stops it.

use tokio_util::sync::CancellationToken;

/// A request to stop, which can become urgent later.
#[derive(Debug, Clone)]
pub struct StopRequest {
    /// Source of the request, for the log.
    pub asked_by: &'static str,
    /// Cancelled when the server should no longer wait for clients.
    pub hurry: CancellationToken,
}

impl From<&'static str> for StopRequest {
    /// A request that never becomes urgent.
    fn from(asked_by: &'static str) -> Self {
        Self { asked_by, hurry: CancellationToken::new() }
    }
}

/// Progress of a server's shutdown, for the thread that enforces the deadline of the exit.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Cancelled when the drain delay is over.
    pub(crate) draining: CancellationToken,
    /// Cancelled when a component has failed.
    pub(crate) failed: CancellationToken,
}
