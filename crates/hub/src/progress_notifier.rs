//! When a client is told where its stream is.

use northgate_domain::{Notice, Position};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// Gives notices for one cursor: on beginning, once it has caught up, and then again and again.
pub(crate) struct ProgressNotifier {
    /// What comes before everything else.
    first: Option<Notice>,
    /// The head when the client came: it has caught up once it is there. Nothing after that.
    goal: Option<Position>,
    every: Duration,
    tick: Pin<Box<Sleep>>,
    /// The position of what was given last: how much the client knows.
    told: Position,
}

impl ProgressNotifier {
    /// For a cursor whose client came when the head was at `head`; `first` comes before everything
    /// else.
    pub(crate) fn new(every: Duration, first: Option<Notice>, head: Position) -> Self {
        let told = first.map_or(head, |notice| notice.position());
        Self { first, goal: Some(head), every, tick: Box::pin(sleep(every)), told }
    }

    /// What comes before everything else, once.
    pub(crate) fn first(&mut self) -> Option<Notice> {
        self.first.take()
    }

    /// An event was given.
    pub(crate) fn gave(&mut self, position: Position) {
        self.told = position;
    }

    /// For a cursor that has given all that its thread knows of: a notice once it has caught up,
    /// and when it is time for another.
    pub(crate) fn poll_at_head(&mut self, at: Position, cx: &mut Context<'_>) -> Poll<Notice> {
        match self.goal {
            // The thread is about to hear of more.
            Some(goal) if at.offset < goal.offset => return self.poll_behind(at, cx),
            Some(_) => self.goal = None,
            None => ready!(self.tick.as_mut().poll(cx)),
        }
        Poll::Ready(self.live(at))
    }

    /// For a cursor on its way to the head: a notice when it is time for one, and the cursor has
    /// moved without an event that matched.
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
