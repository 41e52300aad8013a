//! A cursor: the position of one connection in the stream of frames, and the source of its next
//! frame.

use crate::catch_up::{Filter, Opened, PATIENCE, PendingRead};
use crate::frame_log::Phase;
use crate::page::Page;
use crate::progress_notifier::ProgressNotifier;
use crate::step::{End, Step};
use crate::window::Next;
use crate::worker::{Thread, Waits, Worker};
use northgate_domain::{Notice, Position, StartFrom, Subscription};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Maximum distance from the head, in events, at which a cursor resumes in the window. A cursor
/// further behind reads from the store, where the number of readers is limited.
const NEAR_HEAD: u64 = 256;

/// Stream of the events after a position, in order, at the pace of one connection. A cursor near
/// the head returns events from the window. A cursor further behind reads the store until it
/// reaches the window.
pub struct Cursor {
    thread: Rc<Thread>,
    key: usize,
    after: Position,
    source: Source,
    filter: Filter,
    notifier: Option<Box<ProgressNotifier>>,
    /// Reason of the end, once the cursor has ended. Never changes afterwards.
    ended: Option<End>,
    _counted: TaskTrackerToken,
}

/// Source of the next frame.
enum Source {
    Window,
    /// The start of the stream is still being read from the store.
    Opening(PendingRead<Opened>),
    /// Pages of the store.
    CatchUpReader(Box<CatchUp>),
}

/// State of a cursor behind the window.
enum CatchUp {
    PendingRead(PendingRead<Page>),
    Giving {
        page: Page,
        /// Time when the client last took a frame, or when the page arrived.
        taken_at: Instant,
    },
}

impl Worker {
    /// Creates a cursor without notices. The cursor returns every event after `after`, except the
    /// types that are sent only on request.
    pub fn cursor(&self, after: Position) -> Cursor {
        Cursor::new(self.0.clone(), after)
    }

    /// Creates a cursor that returns the stream of a subscription. With `live_every`, the cursor
    /// also returns notices: one at the start unless the subscription requests nothing, one when
    /// the stream has caught up, and then one at each interval. `live_every` is the interval for a
    /// subscription that requests none.
    pub fn stream(&self, subscription: Subscription, live_every: Option<Duration>) -> Cursor {
        self.cursor(self.head()).subscribed(subscription, live_every)
    }
}

impl Cursor {
    fn new(thread: Rc<Thread>, after: Position) -> Self {
        let key = thread.local.borrow_mut().admit();
        let counted = thread.cursors.token();
        Self {
            thread,
            key,
            after,
            source: Source::Window,
            filter: None,
            notifier: None,
            ended: None,
            _counted: counted,
        }
    }

    /// Turns a cursor at the head into the cursor of a subscription; see [`Worker::stream`].
    fn subscribed(mut self, subscription: Subscription, live_every: Option<Duration>) -> Self {
        let head = self.after;
        let announced = subscription.is_announced();
        if !subscription.filter.is_open() {
            self.filter = Some(Arc::new(subscription.filter));
        }
        let catch_up_reader = &self.thread.catch_up_reader;
        match subscription.start {
            StartFrom::Now | StartFrom::Last(0) => {}
            StartFrom::After(after) if self.is_near_head(after, head) => self.after = after,
            StartFrom::After(after) => {
                self.source = Source::Opening(catch_up_reader.open_after(after));
            }
            StartFrom::Gap => {
                // The store reports a gap for a position beyond the head.
                let nowhere = Position { offset: u64::MAX, ..head };
                self.source = Source::Opening(catch_up_reader.open_after(nowhere));
            }
            StartFrom::Last(count) => {
                self.source =
                    Source::Opening(catch_up_reader.open_last(count, head, self.filter.clone()));
            }
        }
        // If the store has to open the stream, `open` returns the first notice.
        let known = announced && matches!(self.source, Source::Window);
        let first = known.then_some(Notice::Resumed(self.after));
        self.notifier = live_every.map(|every| {
            let every = subscription.live_every.unwrap_or(every);
            Box::new(ProgressNotifier::new(every, first, head))
        });
        self
    }

    /// Returns the position up to which the cursor has advanced, or its start.
    pub fn position(&self) -> Position {
        self.after
    }

    /// Returns the next step, or registers the caller's waker for it. A poll in the window locks
    /// nothing and allocates nothing.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        if let Some(end) = self.ended {
            return Poll::Ready(Step::End(end));
        }
        let step = ready!(self.poll_step(cx));
        match &step {
            Step::Frame(frame) => self.gave(frame.position()),
            Step::Notice(_) => {}
            Step::End(end) => {
                self.ended = Some(*end);
                self.source = Source::Window;
            }
        }
        Poll::Ready(step)
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        if let Some(first) = self.notifier.as_mut().and_then(|notifier| notifier.first()) {
            return Poll::Ready(Step::Notice(first));
        }
        if !matches!(self.source, Source::Window) && self.is_over() {
            return Poll::Ready(Step::End(End::Cut));
        }
        loop {
            match &mut self.source {
                Source::Window => {
                    if let Some(polled) = self.poll_window(cx) {
                        return polled;
                    }
                    self.source = self.next_page();
                }
                Source::Opening(opening) => match opening.poll(cx) {
                    Poll::Ready(Ok(opened)) => return Poll::Ready(self.open(opened)),
                    Poll::Ready(Err(end)) => return Poll::Ready(Step::End(end)),
                    Poll::Pending => return self.poll_behind(cx),
                },
                Source::CatchUpReader(_) => {
                    if let Some(polled) = self.poll_catch_up(cx) {
                        return polled;
                    }
                }
            }
        }
    }

    fn next_page(&self) -> Source {
        Source::CatchUpReader(Box::new(CatchUp::PendingRead(
            self.thread.catch_up_reader.page(self.after),
        )))
    }

    /// Returns the source after a page: the window if the cursor is near the head, otherwise the
    /// next page. The number of store readers is limited; if cursors entered the window earlier,
    /// any number of them could read through the window at the same time.
    fn after_page(&self) -> Source {
        let head = self.thread.local.borrow().window.head();
        let near = self.after.offset >= head.offset || self.is_near_head(self.after, head);
        if near { Source::Window } else { self.next_page() }
    }

    /// Polls the window for the next step. Returns `None` if the window no longer retains the next
    /// event.
    fn poll_window(&mut self, cx: &mut Context<'_>) -> Option<Poll<Step>> {
        let mut local = self.thread.local.borrow_mut();
        loop {
            // Check this after each skipped event too: that event may have been the last before the
            // end.
            match local.phase {
                Phase::Over => return Some(Poll::Ready(Step::End(End::Cut))),
                Phase::Draining(until) if self.after.offset >= until.offset => {
                    let turn = self.thread.log.count_drained();
                    return Some(Poll::Ready(Step::End(End::Drained { turn })));
                }
                Phase::Live | Phase::Draining(_) => {}
            }
            match local.window.next(self.after) {
                Next::Entry(entry) => {
                    self.after = entry.frame.position();
                    if entry.is_for(self.filter.as_deref()) {
                        return Some(Poll::Ready(Step::Frame(entry.frame.clone())));
                    }
                }
                Next::AtHead => break,
                Next::Lost => return None,
            }
        }
        local.park(self.key, Waits::Events, cx.waker());
        drop(local);
        let notifier = self.notifier.as_mut();
        let polled =
            notifier.map_or(Poll::Pending, |notifier| notifier.poll_at_head(self.after, cx));
        Some(polled.map(Step::Notice))
    }

    /// Polls the pages of the store for the next step. Returns `None` if the source has changed.
    fn poll_catch_up(&mut self, cx: &mut Context<'_>) -> Option<Poll<Step>> {
        let Source::CatchUpReader(catch_up) = &mut self.source else { return None };
        loop {
            match catch_up.as_mut() {
                CatchUp::PendingRead(reading) => match reading.poll(cx) {
                    Poll::Ready(Ok(page)) => {
                        **catch_up = CatchUp::Giving { page, taken_at: Instant::now() };
                    }
                    // The window may retain an event that the store has trimmed or cannot read.
                    Poll::Ready(Err(End::TooFarBehind)) if self.is_in_window() => {
                        self.source = Source::Window;
                        return None;
                    }
                    Poll::Ready(Err(end)) => return Some(Poll::Ready(Step::End(end))),
                    Poll::Pending => return Some(self.poll_behind(cx)),
                },
                CatchUp::Giving { page, taken_at } => {
                    let now = Instant::now();
                    if now.duration_since(std::mem::replace(taken_at, now)) > PATIENCE {
                        return Some(Poll::Ready(Step::End(End::TooFarBehind)));
                    }
                    let Some(frame) = page.next_frame(self.filter.as_deref()) else {
                        self.after = page.next();
                        self.source = self.after_page();
                        return None;
                    };
                    self.after = frame.position();
                    return Some(Poll::Ready(Step::Frame(frame)));
                }
            }
        }
    }

    /// Starts the stream at the position that the store returned.
    fn open(&mut self, opened: Opened) -> Step {
        let Opened { notice, page } = opened;
        self.after = notice.position();
        self.source =
            Source::CatchUpReader(Box::new(CatchUp::Giving { page, taken_at: Instant::now() }));
        self.gave(self.after);
        Step::Notice(notice)
    }

    /// Records the position that the client now knows, if the client receives notices.
    fn gave(&mut self, position: Position) {
        if let Some(notifier) = &mut self.notifier {
            notifier.gave(position);
        }
    }

    /// Returns whether at most [`NEAR_HEAD`] events follow `after`, and the window retains them.
    fn is_near_head(&self, after: Position, head: Position) -> bool {
        let local = self.thread.local.borrow();
        let behind = head.offset.checked_sub(after.offset);
        behind.is_some_and(|behind| behind <= NEAR_HEAD)
            && !matches!(local.window.next(after), Next::Lost)
    }

    fn is_in_window(&self) -> bool {
        !matches!(self.thread.local.borrow().window.next(self.after), Next::Lost)
    }

    fn is_over(&self) -> bool {
        self.thread.local.borrow().phase == Phase::Over
    }

    /// Polls for a notice while the store has not returned yet.
    fn poll_behind(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        self.thread.local.borrow_mut().park(self.key, Waits::Phase, cx.waker());
        let notifier = self.notifier.as_mut();
        let polled =
            notifier.map_or(Poll::Pending, |notifier| notifier.poll_behind(self.after, cx));
        polled.map(Step::Notice)
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        self.thread.local.borrow_mut().dismiss(self.key);
    }
}
