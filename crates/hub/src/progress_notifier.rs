//! Decides when a client receives a notice about the position of its stream.

use northgate_domain::{Notice, Position};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// Notices of one cursor: one at the start, one when the cursor has caught up, and then one at each
/// interval.
pub(crate) struct ProgressNotifier {
    /// Notice to send before everything else.
    first: Option<Notice>,
    /// Head of the log when the client subscribed. A cursor that has reached this position has
    /// caught up, and the field is then `None`.
    goal: Option<Position>,
    every: Duration,
    tick: Pin<Box<Sleep>>,
    /// Position of the last event or notice that the client received.
    told: Position,
}

impl ProgressNotifier {
    /// Creates the notifier of a cursor whose client subscribed when the log's head was `head`;
    /// `first` is sent before everything else.
    pub(crate) fn new(every: Duration, first: Option<Notice>, head: Position) -> Self {
        let told = first.map_or(head, |notice| notice.position());
        Self { first, goal: Some(head), every, tick: Box::pin(sleep(every)), told }
    }

    /// Returns the first notice, once.
    pub(crate) fn first(&mut self) -> Option<Notice> {
        self.first.take()
    }

    /// Records the position of an event or notice that the cursor returned.
    pub(crate) fn gave(&mut self, position: Position) {
        self.told = position;
    }

    /// Polls for a notice when the cursor has returned every frame of its thread's window. The
    /// first notice is due once the cursor has caught up, the later ones at each interval.
    pub(crate) fn poll_at_head(&mut self, at: Position, cx: &mut Context<'_>) -> Poll<Notice> {
        match self.goal {
            // The thread's window has not reached the goal yet.
            Some(goal) if at.offset < goal.offset => return self.poll_behind(at, cx),
            Some(_) => self.goal = None,
            None => ready!(self.tick.as_mut().poll(cx)),
        }
        Poll::Ready(self.live(at))
    }

    /// Polls for a notice when the cursor is behind the head. A notice is due at each interval, but
    /// only if the cursor has skipped events that did not match.
    pub(crate) fn poll_behind(&mut self, at: Position, cx: &mut Context<'_>) -> Poll<Notice> {
        while self.tick.as_mut().poll(cx).is_ready() {
            if at != self.told {
                return Poll::Ready(self.live(at));
            }
            self.rest();
        }
        Poll::Pending
    }

    fn live(&mut self, at: Position) -> Notice {
        self.told = at;
        self.rest();
        Notice::Live(at)
    }

    fn rest(&mut self) {
        self.tick.as_mut().reset(Instant::now() + self.every);
    }
}
