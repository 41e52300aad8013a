//! A place in the stream of frames: all that a connection is to the hub.

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

/// Who comes back takes turns until no more events than these lie before it.
const NEAR_HEAD: u64 = 256;

/// Gives the events after a position, in order, as its connection takes them. Those that the
/// window holds come from there; a cursor that is further behind reads the store until it reaches
/// the window.
pub struct Cursor {
    thread: Rc<Thread>,
    key: usize,
    after: Position,
    source: Source,
    filter: Filter,
    notifier: Option<Box<ProgressNotifier>>,
    /// Set once it has ended: an end does not change.
    ended: Option<End>,
    _counted: TaskTrackerToken,
}

/// Where the next frame comes from.
enum Source {
    Window,
    /// It is being found out where to begin.
    Opening(PendingRead<Opened>),
    /// The store.
    CatchUpReader(Box<CatchUp>),
}

/// The way from a place behind the window.
enum CatchUp {
    PendingRead(PendingRead<Page>),
    Giving {
        page: Page,
        /// When the client last took something.
        taken_at: Instant,
    },
}

impl Worker {
    /// A cursor that gives every event after `after`, and nothing else.
    pub fn cursor(&self, after: Position) -> Cursor {
        Cursor::new(self.0.clone(), after)
    }

    /// A cursor that gives the stream of a subscription. With `live_every`, the client receives a
    /// notice at the beginning, once the stream has caught up, and then each time after it.
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

    /// The same cursor, from the head, for a subscription; see [`Worker::stream`].
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
                // A position beyond the head of any log is one.
                let nowhere = Position { offset: u64::MAX, ..head };
                self.source = Source::Opening(catch_up_reader.open_after(nowhere));
            }
            StartFrom::Last(count) => {
                self.source =
                    Source::Opening(catch_up_reader.open_last(count, head, self.filter.clone()));
            }
        }
        // What is asked of the store brings its own notice.
        let known = announced && matches!(self.source, Source::Window);
        let first = known.then_some(Notice::Resumed(self.after));
        self.notifier = live_every.map(|every| Box::new(ProgressNotifier::new(every, first, head)));
        self
    }

    /// The position of the last event given, or the one to start after.
    pub fn position(&self) -> Position {
        self.after
    }

    /// The next step, or a promise to wake the caller when there is one. In the window it is
    /// cheap, and free of locks and allocations.
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

    /// Where to go on after a page. Not in the window as soon as that is possible: a storm of those
    /// who come back would fall upon it at full speed.
    fn after_page(&self) -> Source {
        let head = self.thread.local.borrow().window.head();
        let near = self.after.offset >= head.offset || self.is_near_head(self.after, head);
        if near { Source::Window } else { self.next_page() }
    }

    /// The next step from the window; `None` if the window no longer holds it.
    fn poll_window(&mut self, cx: &mut Context<'_>) -> Option<Poll<Step>> {
        let mut local = self.thread.local.borrow_mut();
        loop {
            // Also after what was skipped: it may have been the last.
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

    /// The next step from the store; `None` if it comes from elsewhere now.
    fn poll_catch_up(&mut self, cx: &mut Context<'_>) -> Option<Poll<Step>> {
        let Source::CatchUpReader(catch_up) = &mut self.source else { return None };
        loop {
            match catch_up.as_mut() {
                CatchUp::PendingRead(reading) => match reading.poll(cx) {
                    Poll::Ready(Ok(page)) => {
                        **catch_up = CatchUp::Giving { page, taken_at: Instant::now() };
                    }
                    // The window may hold what the store has trimmed, or cannot give.
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

    /// Goes on where the store said.
    fn open(&mut self, opened: Opened) -> Step {
        let Opened { notice, page } = opened;
        self.after = notice.position();
        self.source =
            Source::CatchUpReader(Box::new(CatchUp::Giving { page, taken_at: Instant::now() }));
        self.gave(self.after);
        Step::Notice(notice)
    }

    /// A client that is told where its stream is knows this much.
    fn gave(&mut self, position: Position) {
        if let Some(notifier) = &mut self.notifier {
            notifier.gave(position);
        }
    }

    /// Whether what comes after a position of this log is few, and can be had without the store.
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

    /// Nothing yet from the store: perhaps a word meanwhile.
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
