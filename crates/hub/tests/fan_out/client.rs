//! A client of a stream, and what it sees.

use crate::one_thread::settled;
use crate::sample::{MOST_PAUSES, Wakes, next};
use northgate_domain::{Epoch, EventType, Notice, Position, StartFrom, Subscription};
use northgate_hub::{Cursor, End, Step};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How often a client that asked for something is told where it is.
pub(crate) const LIVE_EVERY: Duration = Duration::from_secs(25);

/// What a client sees, by the offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    Event(u64),
    Resumed(u64),
    Gap { position: u64, oldest: u64 },
    Live(u64),
    End(End),
}

impl From<Step> for Seen {
    fn from(step: Step) -> Self {
        let offset = |position: Position| {
            assert_eq!(position.epoch, Epoch::new(7));
            position.offset
        };
        match step {
            Step::Frame(frame) => Self::Event(offset(frame.position())),
            Step::Notice(Notice::Resumed(at)) => Self::Resumed(offset(at)),
            Step::Notice(Notice::Live(at)) => Self::Live(offset(at)),
            Step::Notice(Notice::Gap { position, oldest }) => {
                Self::Gap { position: offset(position), oldest: offset(oldest) }
            }
            Step::End(end) => Self::End(end),
        }
    }
}

/// The stream after this offset.
pub(crate) fn after(offset: u64) -> Subscription {
    from(StartFrom::After(Position { epoch: Epoch::new(7), offset }))
}

/// The stream that begins with the newest so many events.
pub(crate) fn last(count: usize) -> Subscription {
    from(StartFrom::Last(count))
}

pub(crate) fn from(start: StartFrom) -> Subscription {
    Subscription { start, ..Subscription::default() }
}

/// Only the alerts of a stream.
pub(crate) fn alerts(mut subscription: Subscription) -> Subscription {
    subscription.filter.types = vec![EventType::Alert];
    subscription
}

/// Only the alerts of a stream that happen from now on.
pub(crate) fn new_alerts() -> Subscription {
    alerts(Subscription::default())
}

/// These events, as a client sees them.
pub(crate) fn events(offsets: impl IntoIterator<Item = u64>) -> Vec<Seen> {
    offsets.into_iter().map(Seen::Event).collect()
}

pub(crate) struct Client {
    pub(crate) cursor: Cursor,
    woken: Arc<Wakes>,
    waker: Waker,
}

impl Client {
    pub(crate) fn new(cursor: Cursor) -> Self {
        let woken = Arc::new(Wakes::default());
        Self { cursor, waker: woken.clone().into(), woken }
    }

    /// What it sees when it looks once.
    pub(crate) fn look(&mut self) -> Option<Seen> {
        let Poll::Ready(step) = self.cursor.poll_next(&mut Context::from_waker(&self.waker)) else {
            return None;
        };
        let at = match &step {
            Step::Frame(frame) => Some(frame.position()),
            Step::Notice(notice) => Some(notice.position()),
            Step::End(_) => None,
        };
        assert!(at.is_none_or(|at| at == self.cursor.position()), "a cursor stands where it gave");
        Some(step.into())
    }

    /// Whether it was called since the last time this was asked.
    pub(crate) fn is_woken(&self) -> bool {
        self.woken.taken() > 0
    }

    /// What it sees until the cursor makes a pause, waits, or ends.
    pub(crate) fn take(&mut self) -> Vec<Seen> {
        let mut seen = Vec::new();
        while let Some(next) = self.look() {
            seen.push(next);
            if let Seen::End(_) = next {
                break;
            }
        }
        seen
    }

    /// What it sees until nothing wakes it any more.
    pub(crate) async fn see(&mut self) -> Vec<Seen> {
        let mut seen = Vec::new();
        for _ in 0..MOST_PAUSES {
            seen.extend(self.take());
            settled().await;
            if !self.is_woken() || matches!(seen.last(), Some(Seen::End(_))) {
                return seen;
            }
        }
        panic!("a cursor that pauses for ever");
    }

    /// Waits for what it sees next.
    pub(crate) async fn next(&mut self) -> Seen {
        next(&mut self.cursor).await.into()
    }

    /// The offsets of the events that it sees until this one has come, or the end.
    pub(crate) async fn events_up_to(&mut self, last: u64) -> (Vec<u64>, Option<End>) {
        let mut offsets = Vec::new();
        while offsets.last().is_none_or(|&offset| offset < last) {
            match self.next().await {
                Seen::Event(offset) => offsets.push(offset),
                Seen::End(end) => return (offsets, Some(end)),
                Seen::Resumed(_) | Seen::Gap { .. } | Seen::Live(_) => {}
            }
        }
        (offsets, None)
    }
}
