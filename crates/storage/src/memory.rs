//! The store in memory: fast, bounded, and empty after a restart of the process.

mod alert_index;
mod capacity;
mod history_scan;
mod idempotency_cache;
mod log;
mod projections;
mod snapshot_map;
mod state;

pub use capacity::Capacity;

use crate::{
    AppendError, EventLog, EventStore, Outcome, QueryError, ReadError, ReadFrom, ReadModel,
    StoreFactory, Submission, Unavailable,
};
use async_trait::async_trait;
use history_scan::HistoryScan;
use northgate_domain::{
    Alert, AlertId, AlertQuery, AlertTimeline, ChatMessage, Deadlines, Epoch, Event, HistoryPage,
    HistoryRange, MessageQuery, MetaSource, Position, Positioned, Summary,
};
use parking_lot::Mutex;
use snapshot_map::Snapshot;
use state::State;
use std::error::Error;
use std::sync::Arc;
use tokio::sync::watch;

/// Stores everything in memory, within a [`Capacity`]. All data is lost when the process ends.
///
/// One mutex protects the complete state. An append decides, stores and moves the head under the
/// mutex, so the order of offsets is the order in which appends became visible. The mutex is never
/// held across an await. A query of alerts or messages searches a snapshot, without the mutex.
pub struct MemoryStore {
    state: Mutex<State>,
    head: watch::Sender<Position>,
    meta: MetaSource,
    window: usize,
}

impl MemoryStore {
    /// Creates an empty store. `epoch` identifies the log of this store; the caller chooses a
    /// random epoch.
    pub fn new(epoch: Epoch, capacity: Capacity, meta: MetaSource) -> Self {
        Self {
            state: Mutex::new(State::new(epoch, capacity, meta.clock.as_ref())),
            head: watch::Sender::new(Position::start(epoch)),
            meta,
            window: capacity.events.get(),
        }
    }

    fn append_now(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        let mut state = self.state.lock();
        let outcomes = state.append(submissions, &self.meta)?;
        let head = state.head();
        // Sent under the lock, so that a later append cannot publish its head before this one.
        self.head.send_if_modified(|shown| std::mem::replace(shown, head) != head);
        Ok(outcomes)
    }

    /// Returns the head, and a snapshot that reflects all events up to this head.
    fn snapshot<T>(&self, of: fn(&State) -> Snapshot<T>) -> (Position, Snapshot<T>) {
        let state = self.state.lock();
        (state.head(), of(&state))
    }

    /// Returns the number of alerts evicted so far to free space for newer ones.
    pub fn evicted_alerts(&self) -> u64 {
        self.state.lock().evicted_alerts()
    }
}

#[async_trait]
impl EventLog for MemoryStore {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        let outcomes = self.append_now(submissions);
        // A caller with many appends must let readers run on this thread. `consume_budget` yields
        // only after several appends, so that readers send several events in one write.
        tokio::task::consume_budget().await;
        outcomes
    }

    async fn read(
        &self,
        from: ReadFrom,
        limit: usize,
    ) -> Result<Vec<Positioned<Event>>, ReadError> {
        self.state.lock().read(from, limit)
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }
}

#[async_trait]
impl ReadModel for MemoryStore {
    async fn alerts(&self, query: AlertQuery) -> Result<HistoryPage<Alert>, QueryError> {
        let (head, snapshot) = self.snapshot(State::alerts);
        let (range, search) = (query.range, query.search.clone());
        let admits = move |alert: &Alert| query.admits(alert);
        let (words, bytes) = (Alert::search_text, Alert::approximate_bytes);
        HistoryScan { head, snapshot, range, search, words, bytes, admits }.run().await
    }

    async fn messages(&self, query: MessageQuery) -> Result<HistoryPage<ChatMessage>, QueryError> {
        let (head, snapshot) = self.snapshot(State::messages);
        let (range, search) = (query.range, query.search.clone());
        let admits = move |message: &ChatMessage| query.admits(message);
        let (words, bytes) = (ChatMessage::search_text, ChatMessage::approximate_bytes);
        HistoryScan { head, snapshot, range, search, words, bytes, admits }.run().await
    }

    async fn alert(&self, id: AlertId) -> Result<Option<Positioned<Alert>>, Unavailable> {
        Ok(self.state.lock().alert(id).cloned())
    }

    async fn alert_events(
        &self,
        id: AlertId,
        range: HistoryRange,
    ) -> Result<Option<AlertTimeline>, QueryError> {
        self.state.lock().alert_events(id, &range)
    }

    async fn summary(&self) -> Result<Summary, Unavailable> {
        Ok(self.state.lock().summary())
    }

    async fn overdue(
        &self,
        deadlines: Deadlines,
        limit: usize,
    ) -> Result<Vec<Positioned<Alert>>, Unavailable> {
        Ok(self.state.lock().overdue(&deadlines, limit))
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    fn is_durable(&self) -> bool {
        false
    }

    fn window(&self) -> usize {
        self.window
    }
}

/// Creates a new store in memory at each call of `open`.
#[derive(Debug, Clone, Copy)]
pub struct MemoryFactory(pub Capacity);

#[async_trait]
impl StoreFactory for MemoryFactory {
    async fn open(
        &self,
        meta: MetaSource,
        new_epoch: Epoch,
    ) -> Result<Arc<dyn EventStore>, Box<dyn Error + Send + Sync>> {
        Ok(Arc::new(MemoryStore::new(new_epoch, self.0, meta)))
    }
}
