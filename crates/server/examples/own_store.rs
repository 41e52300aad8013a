//! A server with a custom store: the memory store, with a switch to read-only. The variable
//! `READ_ONLY_FILE` contains a path. While a file exists at this path, the store refuses appends.

use async_trait::async_trait;
use northgate_domain::{
    Alert, AlertId, AlertQuery, AlertTimeline, ChatMessage, Deadlines, Epoch, Event, HistoryPage,
    HistoryRange, MessageQuery, MetaSource, Position, Positioned, Summary,
};
use northgate_server::run_program;
use northgate_storage::{
    AppendError, Capacity, EventLog, EventStore, MemoryFactory, NotWritable, Outcome, QueryError,
    ReadError, ReadFrom, ReadModel, StoreFactory, Submission, Unavailable,
};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::watch;

fn main() -> ExitCode {
    run_program(|builder| builder.store(SwitchedFactory))
}

struct SwitchedFactory;

#[async_trait]
impl StoreFactory for SwitchedFactory {
    async fn open(
        &self,
        meta: MetaSource,
        new_epoch: Epoch,
    ) -> Result<Arc<dyn EventStore>, Box<dyn Error + Send + Sync>> {
        // The program prints this error to standard error and exits with code 1.
        let switch = std::env::var_os("READ_ONLY_FILE").ok_or("READ_ONLY_FILE is not set")?.into();
        let inner = MemoryFactory(Capacity::default()).open(meta, new_epoch).await?;
        Ok(Arc::new(SwitchedStore { inner, switch }))
    }
}

struct SwitchedStore {
    inner: Arc<dyn EventStore>,
    switch: PathBuf,
}

#[async_trait]
impl EventLog for SwitchedStore {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        // This check comes before any decision of the store, so nothing is stored, and the sender
        // gets a 503.
        self.is_writable().map_err(|_read_only| AppendError::Unavailable)?;
        self.inner.append(submissions).await
    }

    async fn read(&self, from: ReadFrom, most: usize) -> Result<Vec<Positioned<Event>>, ReadError> {
        self.inner.read(from, most).await
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.inner.head()
    }
}

#[async_trait]
impl ReadModel for SwitchedStore {
    async fn alerts(&self, query: AlertQuery) -> Result<HistoryPage<Alert>, QueryError> {
        self.inner.alerts(query).await
    }

    async fn messages(&self, query: MessageQuery) -> Result<HistoryPage<ChatMessage>, QueryError> {
        self.inner.messages(query).await
    }

    async fn alert(&self, id: AlertId) -> Result<Option<Positioned<Alert>>, Unavailable> {
        self.inner.alert(id).await
    }

    async fn alert_events(
        &self,
        id: AlertId,
        range: HistoryRange,
    ) -> Result<Option<AlertTimeline>, QueryError> {
        self.inner.alert_events(id, range).await
    }

    async fn summary(&self) -> Result<Summary, Unavailable> {
        self.inner.summary().await
    }

    async fn overdue(
        &self,
        deadlines: Deadlines,
        limit: usize,
    ) -> Result<Vec<Positioned<Alert>>, Unavailable> {
        self.inner.overdue(deadlines, limit).await
    }
}

/// The defaults of the other methods suffice, because the inner store has no threads, files or
/// connections.
#[async_trait]
impl EventStore for SwitchedStore {
    fn is_durable(&self) -> bool {
        self.inner.is_durable()
    }

    /// The readiness probe reports the reason, so load balancers send requests to another server.
    fn is_writable(&self) -> Result<(), NotWritable> {
        if self.switch.exists() {
            Err(NotWritable("the store is read-only".to_owned()))
        } else {
            Ok(())
        }
    }

    /// The default is for a store that never trims events by number. The inner store trims events.
    fn window(&self) -> usize {
        self.inner.window()
    }
}
