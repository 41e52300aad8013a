//! The storage port: a store is a log and a read model with a life cycle, and a factory opens it.

use crate::{EventLog, ReadModel};
use async_trait::async_trait;
use northgate_domain::{Epoch, MetaSource, Position};
use std::error::Error;
use std::future::pending;
use std::sync::Arc;
use tokio::sync::watch;

/// A store. Only [`is_durable`](Self::is_durable) must be implemented; the defaults of the other
/// methods fit a store without threads, files or connections of its own. A store with a thread
/// implements [`failed`](Self::failed). A store with files or connections implements
/// [`is_writable`](Self::is_writable) and [`close`](Self::close). A store that trims by a number of
/// events implements [`window`](Self::window).
#[async_trait]
pub trait EventStore: EventLog + ReadModel {
    /// Whether stored events survive the end of the process.
    fn is_durable(&self) -> bool;

    /// Returns whether the store can append now. This must return immediately and without I/O,
    /// because readiness probes call it. After a failure the store must retry on its own, for
    /// example once a second: the server is then not ready, and may receive no append that would
    /// show the recovery.
    fn is_writable(&self) -> Result<(), NotWritable> {
        Ok(())
    }

    /// Returns a lower bound: the log always retains at least this number of newest events. The
    /// server delays appends while the fan-out is too many events behind. The limit is at most half
    /// of this number, so that no event is trimmed before the fan-out has read it. A store that
    /// does not trim by number uses the default, which means no limit.
    fn window(&self) -> usize {
        usize::MAX
    }

    /// Passes a receiver of the position up to which the fan-out has read. A store that trims
    /// events to free bytes must retain the events that the fan-out has not read. Called at most
    /// once.
    fn follow(&self, _fan_out: watch::Receiver<Position>) {}

    /// Waits until a component of the store fails permanently, for example its only writer thread,
    /// and returns the reason. The process should end then. Never returns while the store works.
    async fn failed(&self) -> String {
        pending().await
    }

    /// Closes the store. Appends and queries that were submitted before are completed; later ones
    /// return `Unavailable`. When this returns, another process can open the files.
    /// [`failed`](Self::failed) does not report a closed store.
    async fn close(&self) {}
}

/// The store cannot append now. The reason is shown to the administrator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotWritable(pub String);

/// Opens a store with the settings that the factory contains.
#[async_trait]
pub trait StoreFactory: Send + Sync {
    /// Opens the store. The store gets timestamps and ids from `meta`, and uses `new_epoch` as the
    /// epoch of its log only if it creates the log now. The error is shown to the administrator who
    /// starts the server.
    async fn open(
        &self,
        meta: MetaSource,
        new_epoch: Epoch,
    ) -> Result<Arc<dyn EventStore>, Box<dyn Error + Send + Sync>>;
}
