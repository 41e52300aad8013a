//! The read model: the half of the storage port that answers queries on the state after the events
//! of the log.

use crate::{QueryError, Unavailable};
use async_trait::async_trait;
use northgate_domain::{
    Alert, AlertId, AlertQuery, AlertTimeline, ChatMessage, Deadlines, HistoryPage, HistoryRange,
    MessageQuery, Positioned, Summary,
};

/// Queries on current alerts, chat messages and the events of one alert.
///
/// Each result shows one state of the store. This state contains no event beyond the head that
/// [`head`](crate::EventLog::head) shows after the result has arrived. No query waits for an
/// append, and no append waits for a query.
#[async_trait]
pub trait ReadModel: Send + Sync {
    /// Returns the matching alerts, in the order in which they were raised.
    async fn alerts(&self, query: AlertQuery) -> Result<HistoryPage<Alert>, QueryError>;

    /// Returns the matching chat messages, in the order of their positions.
    async fn messages(&self, query: MessageQuery) -> Result<HistoryPage<ChatMessage>, QueryError>;

    /// Returns the current state of one alert with the position of its raise; `None` if no alert
    /// has this id.
    async fn alert(&self, id: AlertId) -> Result<Option<Positioned<Alert>>, Unavailable>;

    /// Returns the current state of one alert, and a page of its retained events; `None` if no
    /// alert has this id. The alert, the page and the oldest event are from one state of the store,
    /// so the newest event contains the same state as the alert. Trimmed events are omitted without
    /// an error.
    async fn alert_events(
        &self,
        id: AlertId,
        range: HistoryRange,
    ) -> Result<Option<AlertTimeline>, QueryError>;

    /// Returns the counts of all retained alerts, by status and severity.
    async fn summary(&self) -> Result<Summary, Unavailable>;

    /// Returns at most `limit` alerts whose deadline has passed, in any order. The cost grows with
    /// the number of overdue alerts, not with the number of all alerts.
    async fn overdue(
        &self,
        deadlines: Deadlines,
        limit: usize,
    ) -> Result<Vec<Positioned<Alert>>, Unavailable>;
}
