//! The first half of the port: the log.

use crate::{AppendError, Outcome, ReadError, Submission};
use async_trait::async_trait;
use northgate_domain::{Event, Position, Positioned};
use tokio::sync::watch;

/// The most bytes of the events of one [`read`](EventLog::read), by
/// [`Event::approximate_bytes`]: many readers are behind at once, and each has a page in memory.
pub const READ_BYTES: usize = 1024 * 1024;

/// The log of events. The hub, and every wrapper of a log, sees no more of a store than this.
///
/// # Laws
///
/// Each law is a test in the module `laws` (with the feature of that name) that every store runs. They are laws of the whole
/// store: some need its read model to be seen.
///
/// 1. *Kept*: `append` returns after the events are as durable as the store promises, never
///    before: durable, then the head moves, then the answer. An append that is answered
///    [`Unavailable`](AppendError::Unavailable) has stored nothing, and its events never appear.
/// 2. *Ordered*: offsets are contiguous and rise in the order in which appends became visible.
/// 3. *Whole*: [`tail`](crate::tail()) yields every event after its position, once and in order,
///    with no gap and no repeat at the seam between past and live, under concurrent appends.
/// 4. *Honest*: events that are not held are an explicit [`ReadError::Gap`] that says which are.
///    No answer shows an event beyond the head that [`head`](Self::head) shows when it comes, and
///    each page of a history is of one moment.
/// 5. *Idempotent*: a key that was used before gives the first answer and appends nothing.
/// 6. *Atomic*: commands on one alert are decided one after the other, by
///    [`decide_submission`](crate::decide_submission) inside the store's critical section; a
///    vector is stored whole or not at all, also if a store writes many vectors together.
/// 7. *Cancel-safe*: a caller that goes away cannot leave half a vector. Its vector may be stored
///    later than others that came after it, or not at all.
/// 8. *Bounded*: the log is a window, state is not. Retention trims events, and then gaps are
///    explicit; alerts and the newest messages are projections that outlive the window. Each kind
///    is bounded by itself: a burst of chat cannot push alerts out. Resolved alerts make room
///    before others, and among each the oldest first, once an append is whole.
/// 9. *Forward*: an event is never of an earlier moment than the one before it, whatever the clock
///    says; and age is measured by a [`RetentionClock`](crate::RetentionClock), which does not
///    believe every jump.
/// 10. *Monotone*: the head never moves backwards, and whoever waits for it is woken by every
///     move. A receiver counts the position that it shows when it is given as seen.
///
/// No caller waits for ever while others are answered; apart from that, the order in which waiting
/// appends are decided is free. Nothing above this port assumes that it is the only writer.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Decides all submissions in their order, each seeing the effects of those before it, and
    /// stores the events and states that follow: all of them, or on an error none. One outcome per
    /// submission.
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError>;

    /// At most `limit` events in rising order, and no more than [`READ_BYTES`] of them, but at
    /// least one if there is one. It never waits for events to come, and judges against its own
    /// snapshot of the log.
    ///
    /// [`ReadError::Gap`] if and only if the epoch is not this log's, or the position lies beyond
    /// the head, or, for [`ReadFrom::After`], some event after the position was trimmed. At the
    /// head the answer is empty.
    async fn read(&self, from: ReadFrom, limit: usize)
    -> Result<Vec<Positioned<Event>>, ReadError>;

    /// The position of the newest event that readers can see, as it moves; see law 10.
    fn head(&self) -> watch::Receiver<Position>;
}

/// Which side of a position to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFrom {
    /// The oldest events after this position.
    After(Position),
    /// The newest events up to and including this position: with [`ReadFrom::After`] the whole
    /// log. What was trimmed is left out in silence: this pages over what is held.
    Before(Position),
}
