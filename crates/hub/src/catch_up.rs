//! Reads events older than the window from the store, in pages, with a limited number of reads at
//! the same time.

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

/// Maximum time that a cursor behind the window may go without progress, because the store does
/// not return or because its client does not read.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Maximum number of cursors that read the store at the same time, on all threads together. More
/// cursors wait in a queue, so that the threads and the store have time for new events.
const READERS: usize = 32;
/// Pause after a read, before the reader releases its permit, if all permits are in use. The pause
/// slows down catching up, because new events are more urgent.
const CROWDED_PAUSE: Duration = Duration::from_millis(1);

/// A running read of the store for one cursor. The read is a separate task, so that it releases its
/// reader permit even if the connection is not polled again because the client does not read.
/// Dropping this handle cancels the read.
pub(crate) struct PendingRead<T>(AbortOnDropHandle<Result<T, End>>);

/// Filter of a cursor. `None` matches every event except the types that are sent only on request.
pub(crate) type Filter = Option<Arc<EventFilter>>;

/// Reads older events from the store. All cursors share one reader.
pub(crate) struct CatchUpReader {
    store: Arc<dyn EventLog>,
    encoder: Encoder,
    readers: Semaphore,
    /// Tasks of all running reads.
    questions: TaskTracker,
    /// Recent pages that other cursors may request soon. The lock is never held across an await.
    pages: Mutex<Pages>,
}

/// Start of a stream: its first notice, and the first page after it.
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

    /// Opens a stream with every event after a position, or with a gap if the store cannot continue
    /// after this position.
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

    /// Opens a stream with the newest `count` matching events up to `head`. The search examines at
    /// most the newest 32,768 events, so that a filter without a match does not read the whole log.
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

    /// Reads the page after a position. If the read fails, it is repeated for at most [`PATIENCE`].
    /// The time in the queue for a reader permit does not count.
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
                    // The store returned no event although there is one after this position. Retry
                    // after a pause: an immediate retry would be a busy loop.
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

    /// Waits until no read is running. A read ends with its result, or when its cursor is dropped.
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

    /// Waits for a reader permit. An error would mean that the semaphore is closed, which never
    /// happens.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.readers.acquire().await
    }

    /// Pauses before the permit is released, so that the thread serves its sockets before the next
    /// read.
    async fn rest(&self) {
        if self.readers.available_permits() == 0 {
            sleep(CROWDED_PAUSE).await;
        } else {
            tokio::task::yield_now().await;
        }
    }

    /// Returns the page after a position from the cache, or reads and encodes the page.
    async fn try_page(&self, after: Position, patience: Duration) -> Result<Page, ReadError> {
        if let Some(page) = self.pages.lock().get(after, Instant::now()) {
            return Ok(page);
        }
        let limit = Page::most_events(after);
        let events = self.try_read(ReadFrom::After(after), limit, patience).await?;
        let page = Page::encode(after, &events, self.encoder);
        // Do not cache a page that ends at the head: the next read may return more events.
        if page.is_whole() {
            self.pages.lock().put(after, page.clone(), Instant::now());
        }
        Ok(page)
    }

    /// Reads once. A store that does not return within `patience` counts as unavailable.
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
    /// Polls for the result of the read.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, End>> {
        // An error means that the runtime is shutting down.
        Pin::new(&mut self.0).poll(cx).map(|answer| answer.unwrap_or(Err(End::Cut)))
    }
}

fn matches(filter: &Filter, event: &Positioned<Event>) -> bool {
    match filter {
        Some(filter) => filter.admits(&event.value),
        None => EventType::of(&event.value).is_sent_unasked(),
    }
}

/// Returns the position directly before the event at `position`.
fn before_event(position: Position) -> Position {
    Position { offset: position.offset.saturating_sub(1), ..position }
}
