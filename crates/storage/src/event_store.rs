//! The port: a store is a log and a read model with a life cycle, and a factory opens it.

use crate::{EventLog, ReadModel};
use async_trait::async_trait;
use northgate_domain::{Epoch, MetaSource, Position};
use std::error::Error;
use std::future::pending;
use std::sync::Arc;
use tokio::sync::watch;

/// A store. Only [`is_durable`](Self::is_durable) must be answered; the defaults of the rest fit a
/// store without threads, files or connections of its own. A store with a thread answers
/// [`failed`](Self::failed); one with files or connections answers [`is_writable`](Self::is_writable)
/// and [`close`](Self::close); one that trims by a number answers [`window`](Self::window).
#[async_trait]
pub trait EventStore: EventLog + ReadModel {
    /// Whether stored events survive the end of the process.
    fn is_durable(&self) -> bool;

    /// Whether the store can append now. It answers at once, from what it knows: readiness probes
    /// ask it. A store that failed tries again by itself, such as once a second: while it is not
    /// writable, nobody may send it anything.
    fn is_writable(&self) -> Result<(), NotWritable> {
        Ok(())
    }

    /// How many of the newest events the log holds at least. Appends wait while the fan-out is half
    /// of that behind, so that no event is trimmed before it was sent. A store that does not trim
    /// by number keeps the default, which is no limit.
    fn window(&self) -> usize {
        usize::MAX
    }

    /// Gives the store the position that the fan-out has read, as it moves. A store that trims
    /// events to free bytes keeps those that the fan-out has not read. Called at most once.
    fn follow(&self, _fan_out: watch::Receiver<Position>) {}

    /// Returns with a reason once a part of the store has failed for good, such as its only
    /// writing thread; the process should end then. Never returns as long as the store works.
    async fn failed(&self) -> String {
        pending().await
    }

    /// Ends the store: appends and queries that were handed over are answered, all later ones are
    /// unavailable, and when this returns the files are free for another process. A store that was
    /// closed has not failed.
    async fn close(&self) {}
}

/// The store cannot append now; the reason is for the person who looks after the server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotWritable(pub String);

/// Opens a store.
#[async_trait]
pub trait StoreFactory: Send + Sync {
    /// Opens the store. It decides by `meta`, and a store that is created now names its log
    /// `new_epoch`. The error is shown to the person who starts the server.
    async fn open(
        &self,
        meta: MetaSource,
        new_epoch: Epoch,
    ) -> Result<Arc<dyn EventStore>, Box<dyn Error + Send + Sync>>;
}
