//! A test client of a stream, and the steps that it receives.

use crate::one_thread::settled;
use crate::sample::{MOST_PAUSES, Wakes, next};
use northgate_domain::{Epoch, EventType, Notice, Position, StartFrom, Subscription};
use northgate_hub::{Cursor, End, Step};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Interval of the notices for a client that requested something.
pub(crate) const LIVE_EVERY: Duration = Duration::from_secs(25);

/// A step that a client receives, with offsets instead of positions.
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

/// A subscription that starts after this offset.
pub(crate) fn after(offset: u64) -> Subscription {
    from(StartFrom::After(Position { epoch: Epoch::new(7), offset }))
}

/// A subscription that starts with the newest `count` events.
pub(crate) fn last(count: usize) -> Subscription {
    from(StartFrom::Last(count))
}

pub(crate) fn from(start: StartFrom) -> Subscription {
    Subscription { start, ..Subscription::default() }
}

/// Restricts a subscription to alerts.
pub(crate) fn alerts(mut subscription: Subscription) -> Subscription {
    subscription.filter.types = vec![EventType::Alert];
    subscription
}

/// A subscription to new alerts only.
pub(crate) fn new_alerts() -> Subscription {
    alerts(Subscription::default())
}

/// The events at these offsets, as a client receives them.
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

    /// Polls once, and returns the step if there is one.
    pub(crate) fn look(&mut self) -> Option<Seen> {
        let Poll::Ready(step) = self.cursor.poll_next(&mut Context::from_waker(&self.waker)) else {
            return None;
        };
        let at = match &step {
            Step::Frame(frame) => Some(frame.position()),
            Step::Notice(notice) => Some(notice.position()),
            Step::End(_) => None,
        };
        assert!(
            at.is_none_or(|at| at == self.cursor.position()),
            "the cursor's position is the position of its step"
        );
        Some(step.into())
    }

    /// Returns whether the client was woken since the last call.
    pub(crate) fn is_woken(&self) -> bool {
        self.woken.taken() > 0
    }

    /// Takes steps until the cursor waits or ends.
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

    /// Takes steps until the client is no longer woken or the cursor ends.
    pub(crate) async fn see(&mut self) -> Vec<Seen> {
        let mut seen = Vec::new();
        for _ in 0..MOST_PAUSES {
            seen.extend(self.take());
            settled().await;
            if !self.is_woken() || matches!(seen.last(), Some(Seen::End(_))) {
                return seen;
            }
        }
        panic!("the cursor never stops waking its client");
    }

    /// Waits for the next step.
    pub(crate) async fn next(&mut self) -> Seen {
        next(&mut self.cursor).await.into()
    }

    /// Takes events up to the offset `last` or the end, and returns their offsets.
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
