//! A server that is bound to an address and can be run until it is stopped.

use crate::stop_request::{Progress, StopRequest};
use crate::stopping::Running;
use crate::supervisor::PartFailure;
use actix_web::dev::Server;
use std::future::Future;
use std::net::SocketAddr;

/// A server that is bound and not yet running.
pub struct Application {
    pub(crate) address: SocketAddr,
    pub(crate) server: Server,
    pub(crate) running: Running,
}

impl Application {
    /// Returns the bound address, with the real port if the configured one is 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns a handle to the progress of the shutdown.
    pub fn progress(&self) -> Progress {
        Progress {
            draining: self.running.draining.clone(),
            failed: self.running.supervisor.failed().clone(),
        }
    }

    /// Serves until `stop` is ready, then shuts down gracefully. If a required component fails, the
    /// server shuts down without the drain delay and returns that failure as the error.
    pub async fn run_until_stopped<R: Into<StopRequest>>(
        self,
        stop: impl Future<Output = R>,
    ) -> Result<(), PartFailure> {
        let Self { address, server, running } = self;
        let handle = server.handle();
        running.supervisor.spawn_with_reason("HTTP server", running.server_stop.clone(), async {
            server
                .await
                .map_or_else(|error| error.to_string(), |()| "it ended unexpectedly".to_owned())
        });
        tracing::info!(%address, "listening");
        let request = tokio::select! {
            request = stop => request.into(),
            () = running.supervisor.failed().cancelled() => "a failed component".into(),
        };
        let drain_delay = humantime::format_duration(running.drain_delay);
        tracing::info!(asked_by = request.asked_by, %drain_delay, "stopping");
        let stopped = running.stop(handle, &request).await;
        tracing::info!("stopped");
        stopped
    }
}

#[cfg(test)]
mod tests;
