//! What the window no longer holds: read from the store a page at a time, by a few at a time.

use crate::frame::Encoder;
use crate::page::{FRAMES_PER_PAGE, Page, Pages};
use crate::pump::RETRY_AFTER;
use crate::step::End;
use northgate_domain::{Event, EventFilter, EventType, HistoryRange, Notice, Position, Positioned};
use northgate_storage::{EventLog, ReadError, ReadFrom};
use parking_lot::Mutex;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// How long a cursor behind the window may go without progress: while the store does not answer,
/// or while its client takes nothing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How many cursors may be reading at once, of all threads together. The rest wait in a row, so
/// that a storm of them leaves the threads, and the store, time for what is new.
const READERS: usize = 32;
/// How much longer a turn lasts when others wait for theirs: a storm has time, and what is new has
/// none.
const CROWDED_PAUSE: Duration = Duration::from_millis(1);

/// A question to the store, under way for one cursor. It is a task of its own and not a part of
/// the cursor: a place among the readers must not depend on when a connection, whose client may
/// take nothing, is polled again. Dropping it takes the question back.
pub(crate) struct PendingRead<T>(AbortOnDropHandle<Result<T, End>>);

/// The filter of a cursor; without one everything matches that is sent unasked.
pub(crate) type Filter = Option<Arc<EventFilter>>;

/// The way to what was, shared by all cursors.
pub(crate) struct CatchUpReader {
    store: Arc<dyn EventLog>,
    encoder: Encoder,
    readers: Semaphore,
    /// The tasks of all questions that are under way.
    questions: TaskTracker,
    /// Pages that others may be about to ask for, held for moments only.
    pages: Mutex<Pages>,
}

/// Where a stream begins, and what comes first.
pub(crate) struct Opened {
    pub(crate) notice: Notice,
    pub(crate) page: Page,
}

impl CatchUpReader {
    pub(crate) fn new(store: Arc<dyn EventLog>, encoder: Encoder) -> Self {
        Self {
            store,
            encoder,
            readers: Semaphore::new(READERS),
            questions: TaskTracker::new(),
            pages: Mutex::default(),
        }
    }

    /// The beginning of a stream with everything after a position, or the gap instead.
    pub(crate) fn open_after(self: &Arc<Self>, after: Position) -> PendingRead<Opened> {
        let catch_up_reader = self.clone();
        self.ask(async move {
            let _turn = catch_up_reader.turn().await;
            match catch_up_reader.try_page(after, PATIENCE).await {
                Ok(page) => {
                    catch_up_reader.rest().await;
                    Ok(Opened { notice: Notice::Resumed(after), page })
                }
                Err(ReadError::Gap { oldest, latest }) => Ok(Opened {
                    notice: Notice::Gap { position: latest, oldest },
                    page: Page::empty(latest),
                }),
                Err(ReadError::Unavailable(_)) => Err(End::Unavailable),
            }
        })
    }

    /// The beginning of a stream with the newest `count` events up to `head` that match, of the
    /// newest 32,768: a filter that matches nothing must not walk through the whole log.
    pub(crate) fn open_last(
        self: &Arc<Self>,
        count: usize,
        head: Position,
        filter: Filter,
    ) -> PendingRead<Opened> {
        let catch_up_reader = self.clone();
        self.ask(async move {
            let (mut start, mut before, mut left) = (head, head, count);
            let mut scanned = 0;
            while left > 0 && scanned < HistoryRange::MAX_SCANNED {
                let limit =
                    if filter.is_some() { FRAMES_PER_PAGE } else { left.min(FRAMES_PER_PAGE) };
                let _turn = catch_up_reader.turn().await;
                let events =
                    catch_up_reader.try_read(ReadFrom::Before(before), limit, PATIENCE).await;
                let events = events.map_err(|_| End::Unavailable)?;
                if events.is_empty() {
                    break;
                }
                scanned += events.len();
                for event in events.iter().rev() {
                    before = before_event(event.position);
                    if left > 0 && matches(&filter, event) {
                        left -= 1;
                        start = before;
                    }
                }
                catch_up_reader.rest().await;
            }
            Ok(Opened { notice: Notice::Resumed(start), page: Page::empty(start) })
        })
    }

    /// The next page. A store that cannot be read now is asked again, for as long as a cursor may
    /// go without progress; waiting for others does not count.
    pub(crate) fn page(self: &Arc<Self>, after: Position) -> PendingRead<Page> {
        let catch_up_reader = self.clone();
        self.ask(async move {
            let mut patience = PATIENCE;
            loop {
                let turn = catch_up_reader.turn().await;
                let began = Instant::now();
                match catch_up_reader.try_page(after, patience).await {
                    Ok(page) if page.next() != after => {
                        catch_up_reader.rest().await;
                        return Ok(page);
                    }
                    Err(ReadError::Gap { .. }) => return Err(End::TooFarBehind),
                    // Nothing is found where the window had something: to go back there at once
                    // would be to go in circles.
                    Ok(_) | Err(ReadError::Unavailable(_)) => {}
                }
                drop(turn);
                sleep(RETRY_AFTER).await;
                patience = patience.saturating_sub(began.elapsed());
                if patience.is_zero() {
                    return Err(End::TooFarBehind);
                }
            }
        })
    }

    /// Waits until no question is under way. To be called once the cursors are going.
    pub(crate) async fn questions_gone(&self) {
        self.questions.close();
        self.questions.wait().await;
    }

    fn ask<T: Send + 'static>(
        &self,
        question: impl Future<Output = Result<T, End>> + Send + 'static,
    ) -> PendingRead<T> {
        PendingRead(AbortOnDropHandle::new(self.questions.spawn(question)))
    }

    /// A place among the readers. An error would mean that there are none any more, and they are
    /// never sent away.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.readers.acquire().await
    }

    /// The end of a turn: the thread looks after its sockets before anyone here reads on.
    async fn rest(&self) {
        if self.readers.available_permits() == 0 {
            sleep(CROWDED_PAUSE).await;
        } else {
            tokio::task::yield_now().await;
        }
    }

    /// The page after a position: another cursor's, or else read and encoded.
    async fn try_page(&self, after: Position, patience: Duration) -> Result<Page, ReadError> {
        if let Some(page) = self.pages.lock().get(after, Instant::now()) {
            return Ok(page);
        }
        let limit = Page::most_events(after);
        let events = self.try_read(ReadFrom::After(after), limit, patience).await?;
        let page = Page::encode(after, &events, self.encoder);
        // What ends at the head will be longer the next time.
        if page.is_whole() {
            self.pages.lock().put(after, page.clone(), Instant::now());
        }
        Ok(page)
    }

    /// Reads once. A store that does not answer in time is as good as away.
    async fn try_read(
        &self,
        from: ReadFrom,
        limit: usize,
        patience: Duration,
    ) -> Result<Vec<Positioned<Event>>, ReadError> {
        let read = timeout(patience, self.store.read(from, limit)).await;
        read.unwrap_or(Err(ReadError::Unavailable(northgate_storage::Unavailable)))
    }
}

impl<T> PendingRead<T> {
    /// The answer, once it is there.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, End>> {
        // An error means that the runtime is going away, and everything with it.
        Pin::new(&mut self.0).poll(cx).map(|answer| answer.unwrap_or(Err(End::Cut)))
    }
}

fn matches(filter: &Filter, event: &Positioned<Event>) -> bool {
    match filter {
        Some(filter) => filter.admits(&event.value),
        None => EventType::of(&event.value).is_sent_unasked(),
    }
}

/// The place before the event at `position`.
fn before_event(position: Position) -> Position {
    Position { offset: position.offset.saturating_sub(1), ..position }
}
