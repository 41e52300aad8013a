//! What whoever stops a server and the server tell each other.

use tokio_util::sync::CancellationToken;

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
