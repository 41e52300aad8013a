//! A store with a wrapped log. With this store, the laws can test a wrapper of a log.

use crate::{
    AppendError, EventLog, EventStore, NotWritable, Outcome, QueryError, ReadError, ReadFrom,
    ReadModel, Submission, Unavailable,
};
use async_trait::async_trait;
use northgate_domain::{
    Alert, AlertId, AlertQuery, AlertTimeline, ChatMessage, Deadlines, Event, HistoryPage,
    HistoryRange, MessageQuery, Position, Positioned, Summary,
};
use std::sync::Arc;
use tokio::sync::watch;

/// A store that uses `log` for appends and reads, and `store` for everything else.
pub struct WrappedStore {
    /// Wrapper around the log of `store`.
    pub log: Arc<dyn EventLog>,
    /// Store that answers queries and handles the life cycle.
    pub store: Arc<dyn EventStore>,
}

#[async_trait]
impl EventLog for WrappedStore {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        self.log.append(submissions).await
    }

    async fn read(
        &self,
        from: ReadFrom,
        limit: usize,
    ) -> Result<Vec<Positioned<Event>>, ReadError> {
        self.log.read(from, limit).await
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.log.head()
    }
}

#[async_trait]
impl ReadModel for WrappedStore {
    async fn alerts(&self, query: AlertQuery) -> Result<HistoryPage<Alert>, QueryError> {
        self.store.alerts(query).await
    }

    async fn messages(&self, query: MessageQuery) -> Result<HistoryPage<ChatMessage>, QueryError> {
        self.store.messages(query).await
    }

    async fn alert(&self, id: AlertId) -> Result<Option<Positioned<Alert>>, Unavailable> {
        self.store.alert(id).await
    }

    async fn alert_events(
        &self,
        id: AlertId,
        range: HistoryRange,
    ) -> Result<Option<AlertTimeline>, QueryError> {
        self.store.alert_events(id, range).await
    }

    async fn summary(&self) -> Result<Summary, Unavailable> {
        self.store.summary().await
    }

    async fn overdue(
        &self,
        deadlines: Deadlines,
        limit: usize,
    ) -> Result<Vec<Positioned<Alert>>, Unavailable> {
        self.store.overdue(deadlines, limit).await
    }
}

#[async_trait]
impl EventStore for WrappedStore {
    fn is_durable(&self) -> bool {
        self.store.is_durable()
    }

    fn is_writable(&self) -> Result<(), NotWritable> {
        self.store.is_writable()
    }

    fn window(&self) -> usize {
        self.store.window()
    }

    fn follow(&self, fan_out: watch::Receiver<Position>) {
        self.store.follow(fan_out);
    }

    async fn failed(&self) -> String {
        self.store.failed().await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}
