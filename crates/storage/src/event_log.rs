//! The log: the half of the storage port that appends and reads events.

use crate::{AppendError, Outcome, ReadError, Submission};
use async_trait::async_trait;
use northgate_domain::{Event, Position, Positioned};
use tokio::sync::watch;

/// Upper bound of bytes in the events of one [`read`](EventLog::read), as counted by
/// [`Event::approximate_bytes`]. Many readers can be behind at the same time, and each has a page
/// in memory.
pub const READ_BYTES: usize = 1024 * 1024;

/// The log of events. The hub and every wrapper of a log use only this part of a store.
///
/// # Laws
///
/// Each law is a test in the module `laws` (feature `laws`) that every store runs. The laws apply
/// to the complete store: some tests need the read model of the store to observe the effect.
///
/// 1. *Kept*: `append` returns only after the events are as durable as the store promises. First
///    the events become durable, then the head moves, then the append returns. An append that
///    returns [`Unavailable`](AppendError::Unavailable) has stored nothing, and its events never
///    appear.
/// 2. *Ordered*: offsets are contiguous and rise in the order in which appends became visible.
/// 3. *Whole*: [`tail`](crate::tail()) yields every event after its position exactly once and in
///    order, also under concurrent appends. There is no gap and no repeat where the tail changes
///    from stored to live events.
/// 4. *Honest*: if events are no longer retained, a read returns an explicit [`ReadError::Gap`]
///    that states which positions can still be read. No result shows an event beyond the head that
///    [`head`](Self::head) shows after the result has arrived. Each page of a history shows one
///    state of the store.
/// 5. *Idempotent*: a submission with a key that was used before returns the first outcome and
///    appends nothing.
/// 6. *Atomic*: commands on one alert are decided one after the other, by
///    [`decide_submission`](crate::decide_submission) inside the critical section of the store. A
///    vector is stored completely or not at all, also if a store writes several vectors together.
/// 7. *Cancel-safe*: a caller that drops the future of an append cannot leave a partial vector. The
///    vector may be stored later than vectors that were submitted after it, or not at all.
/// 8. *Bounded*: the log is only a window of retained events. The store trims older events, and
///    then reports explicit gaps. Alerts and the newest messages are projections that outlive the
///    window. Each kind has its own bound: a burst of chat cannot evict alerts. Resolved alerts are
///    evicted first, then others; in both groups the oldest first. Eviction happens after all
///    submissions of an append are applied.
/// 9. *Forward*: the timestamp of an event is never earlier than the timestamp of the event before
///    it, even if the clock is set back. A store measures ages with a
///    [`RetentionClock`](crate::RetentionClock), which does not accept every jump of the clock.
/// 10. *Monotone*: the head never moves backwards, and every move wakes all receivers that wait for
///     it. In a new receiver, the first position is already marked as seen.
///
/// No append waits forever while other appends return. Apart from that, a store may decide waiting
/// appends in any order. Callers of this port must never assume that they are the only writers.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Decides all submissions in order, each on the state after the earlier ones. Stores all
    /// resulting events and states, or none. Returns one outcome per submission.
    ///
    /// An error means that nothing was stored. The only exception is
    /// [`AppendError::OutcomeUnknown`]: then either the complete vector or nothing was stored.
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError>;

    /// Returns at most `limit` events in rising order. Their total size is at most [`READ_BYTES`],
    /// unless the first event alone is larger. A read never waits for new events, and reads one
    /// snapshot of the log.
    ///
    /// Returns [`ReadError::Gap`] if and only if the epoch is not that of this log, or the position
    /// lies beyond the head, or, for [`ReadFrom::After`], some event after the position was
    /// trimmed. At the head the result is empty.
    async fn read(&self, from: ReadFrom, limit: usize)
    -> Result<Vec<Positioned<Event>>, ReadError>;

    /// Returns a receiver of the position of the newest event that readers can see; see law 10.
    fn head(&self) -> watch::Receiver<Position>;
}

/// Start and direction of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFrom {
    /// The oldest events after this position.
    After(Position),
    /// The newest events up to and including this position. Trimmed events are omitted without an
    /// error, because callers use this to page backwards through the retained events.
    Before(Position),
}
