//! A place in the stream of frames: all that a connection is to the hub.

use crate::Frame;
use crate::hub::Phase;
use crate::window::Next;
use crate::worker::Local;
use northgate_domain::Position;
use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll};
use tokio_util::task::task_tracker::TaskTrackerToken;

/// What a cursor gives next.
#[derive(Debug, Clone)]
pub enum Step {
    /// The next event.
    Frame(Frame),
    /// Nothing any more. Polling on gives the same.
    End(End),
}

/// Why a cursor ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The hub is leaving, and everything was given.
    Drained,
    /// The hub is gone, and something may be missing.
    Cut,
    /// The window no longer holds what comes next.
    TooFarBehind,
}

/// Gives the frames after a position, in order, as its connection takes them.
pub struct Cursor {
    local: Rc<RefCell<Local>>,
    key: usize,
    after: Position,
    /// Set once it has ended: an end does not change.
    ended: Option<End>,
    _counted: TaskTrackerToken,
}

impl Cursor {
    pub(crate) fn new(
        local: Rc<RefCell<Local>>,
        after: Position,
        counted: TaskTrackerToken,
    ) -> Self {
        let key = local.borrow_mut().admit();
        Self { local, key, after, ended: None, _counted: counted }
    }

    /// The position of the last event given, or the one to start after.
    pub fn position(&self) -> Position {
        self.after
    }

    /// The next frame, or the end, or a promise to wake the caller when there is either. Cheap,
    /// and free of locks and allocations.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        if let Some(end) = self.ended {
            return Poll::Ready(Step::End(end));
        }
        let mut local = self.local.borrow_mut();
        let end = match local.phase {
            Phase::Over => End::Cut,
            Phase::Draining(until) if self.after.offset >= until.offset => End::Drained,
            Phase::Live | Phase::Draining(_) => match local.window.next(self.after) {
                Next::Frame(frame) => {
                    self.after = frame.position();
                    return Poll::Ready(Step::Frame(frame.clone()));
                }
                Next::AtHead => {
                    local.park(self.key, cx.waker());
                    return Poll::Pending;
                }
                Next::Lost => End::TooFarBehind,
            },
        };
        self.ended = Some(end);
        Poll::Ready(Step::End(end))
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        self.local.borrow_mut().dismiss(self.key);
    }
}
