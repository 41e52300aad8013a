//! The seam between past and live, written once: pages until one is empty, then a wait.

use crate::{EventLog, ReadError, ReadFrom, Unavailable};
use northgate_domain::{Event, Position, Positioned};
use std::sync::Arc;
use tokio::sync::watch;

/// The most events of one page.
pub const PAGE_EVENTS: usize = 256;

/// A run of events without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The events in rising order; empty at the head.
    pub events: Vec<Positioned<Event>>,
    /// Where the next page begins.
    pub next: Position,
}

/// The oldest events after `after`, at most [`PAGE_EVENTS`].
pub async fn next_page(log: &dyn EventLog, after: Position) -> Result<Page, ReadError> {
    let events = log.read(ReadFrom::After(after), PAGE_EVENTS).await?;
    let next = events.last().map_or(after, |event| event.position);
    Ok(Page { events, next })
}

/// Follows `log` from `after` on, for ever.
pub fn tail(log: Arc<dyn EventLog>, after: Position) -> Tail {
    let head = log.head();
    Tail { log, head, after }
}

/// Every event after a position, past and future; made by [`tail`].
pub struct Tail {
    log: Arc<dyn EventLog>,
    head: watch::Receiver<Position>,
    after: Position,
}

impl Tail {
    /// The next events, at least one. Waits at the head for more. After an error the tail stands
    /// where it stood. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Vec<Positioned<Event>>, ReadError> {
        loop {
            // Marked as seen before the read: an append that comes between the two wakes us.
            self.head.borrow_and_update();
            let page = next_page(self.log.as_ref(), self.after).await?;
            self.after = page.next;
            if !page.events.is_empty() {
                return Ok(page.events);
            }
            self.head.changed().await.map_err(|_closed| Unavailable)?;
        }
    }

    /// The position after the events given so far.
    pub fn position(&self) -> Position {
        self.after
    }
}
