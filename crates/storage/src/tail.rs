//! The transition from stored to live events, implemented once for all readers: read pages until
//! one is empty, then wait until the head moves.

use crate::{EventLog, ReadError, ReadFrom, Unavailable};
use northgate_domain::{Event, Position, Positioned};
use std::sync::Arc;
use tokio::sync::watch;

/// Upper bound of events in one page.
pub const PAGE_EVENTS: usize = 256;

/// A page of events without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Events in rising order; empty at the head.
    pub events: Vec<Positioned<Event>>,
    /// Position after which the next page begins.
    pub next: Position,
}

/// Returns the oldest events after `after`, at most [`PAGE_EVENTS`].
pub async fn next_page(log: &dyn EventLog, after: Position) -> Result<Page, ReadError> {
    let events = log.read(ReadFrom::After(after), PAGE_EVENTS).await?;
    let next = events.last().map_or(after, |event| event.position);
    Ok(Page { events, next })
}

/// Follows `log` after the position `after`, without end.
pub fn tail(log: Arc<dyn EventLog>, after: Position) -> Tail {
    let head = log.head();
    Tail { log, head, after }
}

/// Yields every event after a position, stored and future ones. Created by [`tail`].
pub struct Tail {
    log: Arc<dyn EventLog>,
    head: watch::Receiver<Position>,
    after: Position,
}

impl Tail {
    /// Returns the next events, at least one. At the head, waits for the next append. After an
    /// error the position of the tail is unchanged. If the future is dropped, no event is lost.
    pub async fn next(&mut self) -> Result<Vec<Positioned<Event>>, ReadError> {
        loop {
            // The head is marked as seen before the read, so that an append between the two wakes
            // this task.
            self.head.borrow_and_update();
            let page = next_page(self.log.as_ref(), self.after).await?;
            self.after = page.next;
            if !page.events.is_empty() {
                return Ok(page.events);
            }
            self.head.changed().await.map_err(|_closed| Unavailable)?;
        }
    }

    /// Returns the position of the last event returned so far, or the start position.
    pub fn position(&self) -> Position {
        self.after
    }
}
