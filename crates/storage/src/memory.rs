//! The store in memory: fast, bounded, and gone with the process.

mod alert_index;
mod history_scan;
mod idempotency_cache;
mod log;
mod projections;
mod shelf;
mod state;

use crate::{
    AlertQuery, AppendError, Deadlines, EventStore, MessageQuery, Outcome, QueryError, ReadError,
    ReadFrom, Snapshot, Submission, Summary, Unavailable,
};
use async_trait::async_trait;
use history_scan::HistoryScan;
use northgate_domain::{Alert, AlertId, ChatMessage, Epoch, Event, Position, Positioned, Stamps};
use parking_lot::Mutex;
use shelf::View;
use state::State;
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::watch;

/// How much a store holds of each kind. Every kind is bounded by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Events in the log; older ones are trimmed.
    pub events: NonZeroUsize,
    /// Alerts; those that are over go first, and among each the oldest.
    pub alerts: NonZeroUsize,
    /// Chat messages; the oldest go first.
    pub messages: NonZeroUsize,
    /// Idempotency keys; the oldest go first.
    pub keys: NonZeroUsize,
}

impl Default for Capacity {
    fn default() -> Self {
        const fn count(n: usize) -> NonZeroUsize {
            match NonZeroUsize::new(n) {
                Some(n) => n,
                None => NonZeroUsize::MIN,
            }
        }
        Self {
            events: count(10_000),
            alerts: count(10_000),
            messages: count(1_000),
            keys: count(10_000),
        }
    }
}

/// Keeps everything in memory, within a [`Capacity`]. Nothing survives the process.
///
/// One mutex owns the whole state: an append decides, keeps and moves the head under it, so that
/// the order of offsets is the order in which appends became visible. It is never held across an
/// await, and not while somebody looks through alerts or messages: that goes over a view of one
/// moment.
pub struct MemoryStore {
    state: Mutex<State>,
    head: watch::Sender<Position>,
    stamps: Arc<dyn Stamps>,
}

impl MemoryStore {
    /// An empty store whose log is called `epoch`, which the caller drew at random.
    pub fn new(epoch: Epoch, capacity: Capacity, stamps: Arc<dyn Stamps>) -> Self {
        Self {
            state: Mutex::new(State::new(epoch, capacity, stamps.as_ref())),
            head: watch::Sender::new(Position::start(epoch)),
            stamps,
        }
    }

    fn append_now(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        let mut state = self.state.lock();
        let outcomes = state.append(submissions, self.stamps.as_ref())?;
        let head = state.head();
        // Under the lock, so that a later append cannot publish its head before this one.
        self.head.send_if_modified(|shown| std::mem::replace(shown, head) != head);
        Ok(outcomes)
    }

    /// What a look goes through, and the head that it reflects.
    fn at_this_moment<T>(&self, view: fn(&State) -> View<T>) -> (Position, View<T>) {
        let state = self.state.lock();
        (state.head(), view(&state))
    }

    /// How many alerts had to make room for newer ones so far.
    pub fn evicted_alerts(&self) -> u64 {
        self.state.lock().evicted_alerts()
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        let outcomes = self.append_now(submissions);
        // A store that waits for nothing would let a caller with much to append keep its thread
        // from everybody who is to hear of it. Not each time: what gathers meanwhile is sent in
        // one write.
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

    async fn alerts(&self, query: AlertQuery) -> Result<Snapshot<Positioned<Alert>>, QueryError> {
        let (head, view) = self.at_this_moment(State::alerts);
        let (range, search) = (query.range, query.search.clone());
        let admits = move |alert: &Alert| query.admits(alert);
        let (words, bytes) = (Alert::search_text, Alert::approximate_bytes);
        HistoryScan { head, view, range, search, words, bytes, admits }.through().await
    }

    async fn messages(
        &self,
        query: MessageQuery,
    ) -> Result<Snapshot<Positioned<ChatMessage>>, QueryError> {
        let (head, view) = self.at_this_moment(State::messages);
        let (range, search) = (query.range, query.search.clone());
        let admits = move |message: &ChatMessage| query.admits(message);
        let (words, bytes) = (ChatMessage::search_text, ChatMessage::approximate_bytes);
        HistoryScan { head, view, range, search, words, bytes, admits }.through().await
    }

    async fn alert(&self, id: AlertId) -> Result<Option<Positioned<Alert>>, Unavailable> {
        Ok(self.state.lock().alert(id).cloned())
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
