//! The store: implements the ports, and starts and ends the threads.

use crate::files::StoreFiles;
use crate::folder::{Folder, lock_in};
use crate::health::StoreHealth;
use crate::history;
use crate::lane::{Lane, MOST_WAITING, ThreadGuard};
use crate::queries::LogRead;
use crate::readers::{ReaderSetup, Readers};
use crate::session::Session;
use crate::statistics::{WriteStatistics, Written};
use crate::trimming::Bounds;
use crate::write_connection::WriteConnection;
use crate::writer::{Append, Commit, Follower, Writer, commit};
use crate::{OpenError, Options, queries, schema};
use async_trait::async_trait;
use northgate_domain::{
    Alert, AlertId, AlertQuery, AlertTimeline, ChatMessage, Deadlines, Event, HistoryPage,
    HistoryRange, MessageQuery, MetaSource, Position, Positioned, Summary,
};
use northgate_storage::{
    AppendError, EventLog, EventStore, NotWritable, Outcome, QueryError, ReadError, ReadFrom,
    ReadModel, RetentionClock, Submission, Unavailable,
};
use parking_lot::Mutex;
use std::any::Any;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// Upper bound of the time for which a query waits until the published head covers its result. The
/// head is normally published shortly after the commit. Publication is late only if the writer
/// cannot use its disk.
const PUBLISHED: Duration = Duration::from_secs(1);
/// Upper bound of the duration of a query for alerts or messages, including its time in the lane.
const PATIENCE: Duration = Duration::from_secs(5);

/// A store in a folder. When `append` returns, the events are on disk.
///
/// One thread writes; see [`EventStore::append`]. Queries run in separate threads, each query on
/// one snapshot of the database. Between a commit and the publication of its head, a snapshot can
/// contain events that are not published yet. The query then waits, so that no result is newer than
/// the head that [`EventLog::head`] shows when the result is returned.
///
/// Dropping the store answers all pending calls and waits until its threads have ended.
pub struct SqliteStore {
    appends: Lane<Append>,
    /// Three lanes, so that reads of the log and cheap queries (one alert, the counts, overdue
    /// alerts, the newest items) do not wait behind searches.
    log: Readers,
    lookups: Readers,
    pub(crate) searches: Readers,
    head: watch::Receiver<Position>,
    statistics: Arc<WriteStatistics>,
    health: watch::Receiver<StoreHealth>,
    failed: watch::Receiver<Option<String>>,
    follower: Arc<Follower>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    running: TaskTracker,
    window: usize,
}

impl SqliteStore {
    /// Opens the store in `folder` and creates a missing folder. The folder stays locked until the
    /// threads have ended. Recovery after a crash can block the thread for a while, so async tasks
    /// must not call this function.
    pub fn open(folder: &Path, options: &Options, meta: MetaSource) -> Result<Self, OpenError> {
        Self::open_with(folder, options, meta, Box::new(commit))
    }

    /// Same as [`SqliteStore::open`], with another commit function.
    pub(crate) fn open_with(
        folder: &Path,
        options: &Options,
        meta: MetaSource,
        commit: Commit,
    ) -> Result<Self, OpenError> {
        let locked = Folder::hold(folder)?;
        locked.prepare()?;
        schema::recognise(&locked.database)?;
        let file = locked.database.clone();
        let refused = |source| OpenError::Database { file: file.clone(), source };
        let statistics = Arc::new(WriteStatistics::default());
        let unreadable = statistics.unreadable.clone();
        let connection = WriteConnection::open(&file, options.epoch_if_new, unreadable.clone());
        let connection = connection.map_err(refused)?;
        locked.mark(connection.epoch);
        let files = StoreFiles::of(&file, &lock_in(folder))
            .map_err(|source| OpenError::Folder { folder: folder.to_owned(), source })?;
        let running = TaskTracker::new();
        running.close();
        let shared = ThreadGuard { _lock: Arc::new(locked.lock), _running: running.token() };
        let mut threads = Vec::new();
        let setup = ReaderSetup { file: file.clone(), unreadable, shared: shared.clone() };
        let mut start = |name, patience| {
            Readers::start(name, options.readers, patience, &setup, &mut threads)
                .map_err(OpenError::Threads)
        };
        let log = start("log", None)?;
        let lookups = start("lookups", Some(PATIENCE))?;
        let searches = start("searches", Some(PATIENCE))?;
        drop(setup);
        let (head, shown) = watch::channel(connection.head());
        let follower = Arc::new(Follower::new());
        let (writer_health, health) = watch::channel(StoreHealth::Keeping);
        let mut writer = Writer {
            file,
            epoch: connection.epoch,
            retention: RetentionClock::new(meta.clock.as_ref()),
            connection: Some(connection),
            files,
            follower: follower.clone(),
            bounds: Bounds { capacity: options.capacity, bytes: options.retain_bytes },
            most_vectors: options.appends_per_commit.get(),
            meta,
            commit,
            head,
            statistics: statistics.clone(),
            retain_for: options.retain_for,
            health: writer_health,
            warned_of_wal: false,
            is_rescued: false,
            failing_readers: vec![log.failing.clone(), lookups.failing.clone()],
        };
        let (lane, appends) = mpsc::channel(MOST_WAITING);
        let (ended, failed) = watch::channel(None);
        let thread = thread::Builder::new().name("store-writer".to_owned());
        let thread = thread.spawn(move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| writer.run(appends))) {
                writer.health.send_replace(StoreHealth::Failing);
                ended.send_replace(Some(reason_of(panic.as_ref())));
            }
            // SQLite copies the write-ahead log into the database file when the last connection
            // closes. The writer's connection must be the last one, because a read-only connection
            // cannot copy the log.
            join(threads);
            drop(writer);
            drop(shared);
        });
        let threads = vec![thread.map_err(OpenError::Threads)?];
        Ok(Self {
            appends: Lane::new(lane),
            log,
            lookups,
            searches,
            head: shown,
            statistics,
            health,
            failed,
            follower,
            threads: Mutex::new(threads),
            running,
            window: options.capacity.events.get(),
        })
    }

    /// Ends the store. If the returned future is dropped early, the threads still end.
    async fn end(&self) {
        self.end_lanes();
        let threads = std::mem::take(&mut *self.threads.lock());
        self.running.wait().await;
        join(threads);
    }

    /// Returns the counts of writes since the store was opened.
    pub fn written(&self) -> Written {
        self.statistics.written()
    }

    /// Returns the health of the store: whether it can write events, and if not, why. The writer
    /// checks its files and its disk every second, so the value also changes without an append.
    pub fn health(&self) -> watch::Receiver<StoreHealth> {
        self.health.clone()
    }

    /// Number of calls of `append` that wait for the writer.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.appends.enter().map_or(0, |lane| lane.max_capacity() - lane.capacity())
    }

    fn end_lanes(&self) {
        self.appends.close();
        self.log.close();
        self.lookups.close();
        self.searches.close();
    }

    /// Waits until the published head is `position` or later.
    async fn published(&self, position: Position) -> Result<(), Unavailable> {
        let reached = |head: &Position| head.offset >= position.offset;
        if reached(&self.head.borrow()) {
            return Ok(());
        }
        let mut head = self.head.clone();
        let published = timeout(PUBLISHED, head.wait_for(reached)).await;
        published.map_err(|_late| Unavailable)?.map_err(|_ended| Unavailable)?;
        Ok(())
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.end_lanes();
        join(std::mem::take(&mut *self.threads.lock()));
    }
}

/// Returns the message of a panic.
fn reason_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
}

/// Waits for threads to end. Panics are ignored here, because they were already reported.
fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        let _ = thread.join();
    }
}

#[async_trait]
impl EventLog for SqliteStore {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        if submissions.is_empty() {
            return Ok(Vec::new());
        }
        let (answer, answered) = oneshot::channel();
        let lane = self.appends.enter().ok_or(AppendError::Unavailable)?;
        // If this future is dropped before the send, nothing is stored. After the send, the writer
        // processes the complete vector.
        let sent = lane.send(Append { submissions, answer }).await;
        sent.map_err(|_closed| AppendError::Unavailable)?;
        drop(lane);
        // The writer answers each append that it receives, unless it panics.
        answered.await.map_err(|_gone| AppendError::OutcomeUnknown)?
    }

    async fn read(
        &self,
        from: ReadFrom,
        limit: usize,
    ) -> Result<Vec<Positioned<Event>>, ReadError> {
        let question = move |session: Session<'_>| queries::read(session, from, limit);
        let (head, read) = self.log.ask(question).await.map_err(|_| Unavailable)?;
        self.published(head).await?;
        match read {
            LogRead::Events(events) => Ok(events),
            LogRead::Gap { oldest } => Err(ReadError::Gap { oldest, latest: head }),
        }
    }

    fn head(&self) -> watch::Receiver<Position> {
        let mut head = self.head.clone();
        // A new receiver must not report the current value as a change.
        head.mark_unchanged();
        head
    }
}

#[async_trait]
impl ReadModel for SqliteStore {
    async fn alerts(&self, query: AlertQuery) -> Result<HistoryPage<Alert>, QueryError> {
        let readers = if query.is_search() { &self.searches } else { &self.lookups };
        let question = move |session: Session<'_>| history::alerts(session, &query);
        let page = readers.ask(question).await?;
        self.published(page.position).await?;
        Ok(page)
    }

    async fn messages(&self, query: MessageQuery) -> Result<HistoryPage<ChatMessage>, QueryError> {
        let readers = if query.is_search() { &self.searches } else { &self.lookups };
        let question = move |session: Session<'_>| history::messages(session, &query);
        let page = readers.ask(question).await?;
        self.published(page.position).await?;
        Ok(page)
    }

    async fn alert(&self, id: AlertId) -> Result<Option<Positioned<Alert>>, Unavailable> {
        let question = move |session: Session<'_>| queries::alert(session, id);
        let (position, alert) = self.lookups.ask(question).await.map_err(|_| Unavailable)?;
        self.published(position).await?;
        Ok(alert)
    }

    async fn alert_events(
        &self,
        id: AlertId,
        range: HistoryRange,
    ) -> Result<Option<AlertTimeline>, QueryError> {
        let question = move |session: Session<'_>| history::alert_events(session, id, &range);
        let (position, timeline) = self.lookups.ask(question).await?;
        self.published(position).await?;
        Ok(timeline)
    }

    async fn summary(&self) -> Result<Summary, Unavailable> {
        let summary = self.lookups.ask(|session: Session<'_>| queries::summary(session)).await;
        let summary = summary.map_err(|_| Unavailable)?;
        self.published(summary.position).await?;
        Ok(summary)
    }

    async fn overdue(
        &self,
        deadlines: Deadlines,
        limit: usize,
    ) -> Result<Vec<Positioned<Alert>>, Unavailable> {
        let question = move |session: Session<'_>| queries::overdue(session, &deadlines, limit);
        let (position, alerts) = self.lookups.ask(question).await.map_err(|_| Unavailable)?;
        self.published(position).await?;
        Ok(alerts)
    }
}

#[async_trait]
impl EventStore for SqliteStore {
    fn is_durable(&self) -> bool {
        true
    }

    /// Returns whether the store can write. The writer checks its files and its disk every second,
    /// so the result also changes without an append.
    fn is_writable(&self) -> Result<(), NotWritable> {
        match *self.health.borrow() {
            StoreHealth::Keeping => Ok(()),
            health => Err(NotWritable(health.to_string())),
        }
    }

    fn window(&self) -> usize {
        self.window
    }

    fn follow(&self, fan_out: watch::Receiver<Position>) {
        let _ = self.follower.set(fan_out);
    }

    async fn failed(&self) -> String {
        let mut failed = self.failed.clone();
        let reason = failed.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        match reason {
            Some(reason) => format!("it panicked: {reason}"),
            // The store was closed.
            None => pending().await,
        }
    }

    async fn close(&self) {
        self.end().await;
        let Written { commits, events, unreadable } = self.written();
        tracing::info!(
            commits,
            events,
            unreadable,
            "closed the store; the counts are totals since it was opened"
        );
    }
}
