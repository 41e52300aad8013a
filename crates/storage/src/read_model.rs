//! The second half of the port: what is asked of the state that follows from the log.

use crate::{QueryError, Unavailable};
use async_trait::async_trait;
use northgate_domain::{
    Alert, AlertId, AlertQuery, ChatMessage, Deadlines, Event, HistoryPage, HistoryRange,
    MessageQuery, Positioned, Summary,
};

/// The alerts as they stand, the chat messages, and the events of one alert.
///
/// Each answer is of one state of the store, and never of a later one than the head that
/// [`head`](crate::EventLog::head) shows when the answer comes. No query waits for an append, and
/// no append waits for a query.
#[async_trait]
pub trait ReadModel: Send + Sync {
    /// The alerts that match, in the order of their raising.
    async fn alerts(&self, query: AlertQuery) -> Result<HistoryPage<Alert>, QueryError>;

    /// The chat messages that match, in their order.
    async fn messages(&self, query: MessageQuery) -> Result<HistoryPage<ChatMessage>, QueryError>;

    /// The current state of one alert, with the position of its raising; `None` if no alert has
    /// this id.
    async fn alert(&self, id: AlertId) -> Result<Option<Positioned<Alert>>, Unavailable>;

    /// The events of one alert that the log still holds, each at its own position; none if no
    /// alert has this id. Events that were trimmed are left out without an error.
    async fn alert_events(
        &self,
        id: AlertId,
        range: HistoryRange,
    ) -> Result<HistoryPage<Event>, QueryError>;

    /// The counts of all alerts.
    async fn summary(&self) -> Result<Summary, Unavailable>;

    /// At most `limit` of the alerts whose deadline has passed, in any order. The cost grows with
    /// the number of overdue alerts, not with all alerts.
    async fn overdue(
        &self,
        deadlines: Deadlines,
        limit: usize,
    ) -> Result<Vec<Positioned<Alert>>, Unavailable>;
}
