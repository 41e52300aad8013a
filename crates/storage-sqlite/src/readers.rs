//! The threads that read: a few for each kind of query, each with its own connection.

use crate::database::{DatabaseError, connect_to_read};
use crate::lane::{Lane, ThreadGuard};
use crate::schema;
use crate::session::{Session, Unreadable};

use northgate_storage::{QueryError, Unavailable};
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

/// Upper bound of the waiting queries of a lane. When the lane is full, further callers wait.
const WAITING: usize = 256;
/// Number of steps of SQLite's virtual machine between two checks of the deadline: well under a
/// millisecond.
const STEPS_BETWEEN_LOOKS: i32 = 4_096;

type Job = Box<dyn FnOnce(&mut Reader) + Send>;

/// Sends queries to the threads of one lane.
pub(crate) struct Readers {
    lane: Lane<Job>,
    /// Set while the threads of this lane cannot read.
    pub(crate) failing: Arc<AtomicBool>,
    /// Upper bound of the duration of a query, including its time in the lane; `None` is no bound.
    patience: Option<Duration>,
}

/// Values that all readers of one store share.
#[derive(Clone)]
pub(crate) struct ReaderSetup {
    pub(crate) file: PathBuf,
    pub(crate) unreadable: Arc<Unreadable>,
    pub(crate) shared: ThreadGuard,
}

impl Readers {
    /// Starts `count` threads, named after their lane. The threads end when the lane is closed and
    /// its queries are answered. Their connections are open when this function returns, so a
    /// process that later runs out of file descriptors can still read.
    pub(crate) fn start(
        name: &str,
        count: NonZeroUsize,
        patience: Option<Duration>,
        setup: &ReaderSetup,
        threads: &mut Vec<JoinHandle<()>>,
    ) -> std::io::Result<Self> {
        let (lane, jobs) = mpsc::channel(WAITING);
        let jobs = Arc::new(Mutex::new(jobs));
        let failing = Arc::new(AtomicBool::new(false));
        for number in 0..count.get() {
            let mut reader = Reader::new(&setup.file, setup.unreadable.clone(), failing.clone());
            let jobs = jobs.clone();
            let shared = setup.shared.clone();
            let thread = thread::Builder::new().name(format!("store-{name}-{number}"));
            threads.push(thread.spawn(move || {
                while let Some(job) = next(&jobs) {
                    reader.run(job);
                }
                drop(reader);
                drop(shared);
            })?);
        }
        Ok(Self { lane: Lane::new(lane), failing, patience })
    }

    /// Runs `question` on one snapshot of the database and returns its result.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(Session<'_>) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, QueryError> {
        let deadline = self.patience.map(|patience| Instant::now() + patience);
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |reader| {
            // If the caller has dropped its future, the query is not run.
            if !answer.is_closed() {
                let _ = answer.send(reader.answer(question, deadline));
            }
        });
        let lane = self.lane.enter().ok_or(Unavailable)?;
        let sent = async { lane.send(job).await.map_err(|_closed| QueryError::from(Unavailable)) };
        match deadline {
            Some(deadline) => timeout_at(deadline, sent).await.unwrap_or(Err(QueryError::TooSlow)),
            None => sent.await,
        }?;
        drop(lane);
        answered.await.map_err(|_gone| Unavailable)?
    }

    /// Returns a handle to the same threads with another patience.
    #[cfg(test)]
    fn within(&self, patience: Duration) -> Self {
        let lane = self.lane.enter().expect("the lane is open");
        Self { lane: Lane::new(lane), failing: self.failing.clone(), patience: Some(patience) }
    }

    pub(crate) fn close(&self) {
        self.lane.close();
    }
}

/// Waits for the next job. One thread waits on the channel, and the others wait for the mutex.
fn next(jobs: &Mutex<mpsc::Receiver<Job>>) -> Option<Job> {
    jobs.lock().blocking_recv()
}

/// The state of one reading thread.
struct Reader {
    file: PathBuf,
    connection: Option<Connection>,
    unreadable: Arc<Unreadable>,
    /// Shared by all readers of a lane, so that a failure and its end are logged once.
    failing: Arc<AtomicBool>,
}

impl Reader {
    fn new(file: &Path, unreadable: Arc<Unreadable>, failing: Arc<AtomicBool>) -> Self {
        // If the connection cannot be opened now, the first query opens it and reports the error.
        // SQLite opens the write-ahead log only at the first query, so the epoch is read here.
        let connection = connect_to_read(file)
            .and_then(|connection| schema::epoch(&connection).map(|_epoch| connection))
            .ok();
        Self { file: file.to_owned(), connection, unreadable, failing }
    }

    /// Runs a job. A panic in the job drops the answer and the connection, and the thread
    /// continues.
    fn run(&mut self, job: Job) {
        if catch_unwind(AssertUnwindSafe(|| job(self))).is_err() {
            self.connection = None;
        }
    }

    fn answer<T>(
        &mut self,
        question: impl FnOnce(Session<'_>) -> Result<T, DatabaseError>,
        deadline: Option<Instant>,
    ) -> Result<T, QueryError> {
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(QueryError::TooSlow);
        }
        match self.try_answer(question, deadline) {
            Ok(answer) => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("the store can be read again");
                }
                Ok(answer)
            }
            Err(DatabaseError::Refused(error)) => Err(error),
            Err(DatabaseError::Sqlite(error)) if is_interrupted(&error) => Err(QueryError::TooSlow),
            Err(error) => {
                if !self.failing.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "the store cannot be read");
                }
                Err(Unavailable.into())
            }
        }
    }

    fn try_answer<T>(
        &mut self,
        question: impl FnOnce(Session<'_>) -> Result<T, DatabaseError>,
        deadline: Option<Instant>,
    ) -> Result<T, DatabaseError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect_to_read(&self.file)?,
        };
        let is_late = deadline.map(|deadline| move || Instant::now() >= deadline);
        connection.progress_handler(STEPS_BETWEEN_LOOKS, is_late)?;
        let answer = ask_in_snapshot(&connection, &self.unreadable, question);
        // A connection that failed is closed. The next query opens a new one.
        if !matches!(&answer, Err(DatabaseError::Sqlite(error)) if !is_interrupted(error)) {
            self.connection = Some(connection);
        }
        answer
    }
}

fn ask_in_snapshot<T>(
    connection: &Connection,
    unreadable: &Unreadable,
    question: impl FnOnce(Session<'_>) -> Result<T, DatabaseError>,
) -> Result<T, DatabaseError> {
    // The transaction provides the snapshot. A transaction that only reads writes nothing at its
    // end.
    let transaction = connection.unchecked_transaction()?;
    let answer = question(Session { connection: &transaction, unreadable })?;
    transaction.finish()?;
    Ok(answer)
}

/// Whether a query ended because of its deadline.
fn is_interrupted(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, SqliteStore};
    use northgate_domain::Epoch;
    use northgate_storage::laws::ManualClock;
    use northgate_storage::{EventLog, ReadModel};
    use std::sync::mpsc;
    use tempfile::TempDir;
    use tokio::time::timeout;

    fn store() -> (TempDir, Arc<SqliteStore>) {
        let folder = tempfile::tempdir().unwrap();
        let options = Options::new(Epoch::new(7));
        let store = SqliteStore::open(folder.path(), &options, ManualClock::at(0).meta()).unwrap();
        (folder, Arc::new(store))
    }

    /// Returns the lane of searches with another patience.
    fn within(store: &SqliteStore, patience: Duration) -> Readers {
        store.searches.within(patience)
    }

    #[tokio::test]
    async fn a_query_ends_at_its_deadline_and_its_connection_stays_usable() {
        let (_folder, store) = store();
        let readers = within(&store, Duration::from_millis(50));
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
                       SELECT count(*) FROM n";
        let count = |session: Session<'_>| {
            Ok(session.connection.query_row(endless, [], |row| row.get::<_, i64>(0))?)
        };
        let answer = timeout(Duration::from_secs(10), readers.ask(count)).await;
        assert_eq!(answer.expect("the query ends at its deadline"), Err(QueryError::TooSlow));
        // The deadline passes before the query begins, so the query does not run.
        let readers = within(&store, Duration::ZERO);
        assert_eq!(readers.ask(|_| Ok(())).await, Err(QueryError::TooSlow));
        assert_eq!(within(&store, Duration::from_secs(30)).ask(|_| Ok(1)).await, Ok(1));
    }

    #[tokio::test]
    async fn cheap_queries_and_log_reads_do_not_wait_for_searches() {
        let (_folder, store) = store();
        let (release, released) = mpsc::channel::<()>();
        let released = Arc::new(Mutex::new(released));
        let mut searches = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let (store, released) = (store.clone(), released.clone());
            searches.spawn(async move {
                let blocked = move |_: Session<'_>| Ok(released.lock().recv().is_err());
                let readers = within(&store, Duration::from_mins(1));
                readers.ask(blocked).await
            });
        }
        tokio::task::yield_now().await;
        assert_eq!(store.summary().await.unwrap().position.offset, 0);
        assert!(store.alerts(northgate_domain::AlertQuery::newest(10)).await.is_ok());
        let start = northgate_domain::Position::start(Epoch::new(7));
        assert!(store.read(northgate_storage::ReadFrom::After(start), 1).await.is_ok());
        drop(release);
        assert!(searches.join_all().await.into_iter().all(|search| search == Ok(true)));
    }

    #[tokio::test]
    async fn a_query_that_panics_does_not_end_its_thread() {
        let (_folder, store) = store();
        let readers = within(&store, Duration::from_secs(30));
        for _ in 0..8 {
            let panicked = readers.ask(|_| -> Result<(), DatabaseError> { panic!("bad luck") });
            assert_eq!(panicked.await, Err(QueryError::Unavailable(Unavailable)));
        }
        assert_eq!(readers.ask(|_| Ok(1)).await, Ok(1));
    }
}
