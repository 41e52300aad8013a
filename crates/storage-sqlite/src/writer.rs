//! The writing thread: stores all waiting commands in one transaction, publishes the new head, and
//! then answers all callers.

mod health;
mod preparation;

use crate::database::DatabaseError;
use crate::files::StoreFiles;
use crate::folder::Note;
use crate::health::{FileChange, StoreHealth};
use crate::statistics::WriteStatistics;
use crate::trimming::Bounds;
use crate::write_connection::{VectorError, WriteConnection};
use health::{advice, health_of};
use northgate_domain::{Epoch, MetaSource, Position, Timestamp};
use northgate_storage::{AppendError, Outcome, RetentionClock, Submission};
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

/// How often the writer removes old and excess items, and tests a failed store with a write.
const MAINTENANCE: Duration = Duration::from_secs(1);
/// Pause between two maintenance transactions while more items are due. Appends run in the pause.
const MORE: Duration = Duration::from_millis(5);

/// Upper bound in bytes of the events of one transaction; a larger vector gets its own transaction.
/// The bound limits the free space that a transaction needs, and the memory of a batch.
const BATCH_BYTES: u64 = 4 * 1024 * 1024;

type AppendResult = Result<Vec<Outcome>, AppendError>;

/// One call of `append`, on its way to the writer.
pub(crate) struct Append {
    pub(crate) submissions: Vec<Submission>,
    pub(crate) answer: oneshot::Sender<AppendResult>,
}

/// Function that ends a transaction with `COMMIT`. Tests replace this function to simulate
/// failures.
pub(crate) type Commit = Box<dyn FnMut(&Connection) -> rusqlite::Result<()> + Send>;

/// Commits a transaction.
pub(crate) fn commit(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("COMMIT")?.execute([]).map(|_rows| ())
}

/// Position up to which the fan-out has read the log. Empty if no fan-out follows the log.
pub(crate) type Follower = OnceLock<watch::Receiver<Position>>;

/// The state of the writing thread.
pub(crate) struct Writer {
    pub(crate) file: PathBuf,
    pub(crate) epoch: Epoch,
    /// `None` after a failure, until the database can be opened again.
    pub(crate) connection: Option<WriteConnection>,
    pub(crate) files: StoreFiles,
    pub(crate) bounds: Bounds,
    /// Position up to which the fan-out has read, if a fan-out follows the log.
    pub(crate) follower: Arc<Follower>,
    /// Upper bound of the vectors in one transaction.
    pub(crate) most_vectors: usize,
    pub(crate) meta: MetaSource,
    /// Clock for the age of keys and events.
    pub(crate) retention: RetentionClock,
    pub(crate) commit: Commit,
    pub(crate) head: watch::Sender<Position>,
    pub(crate) statistics: Arc<WriteStatistics>,
    pub(crate) retain_for: Duration,
    /// Health after the last attempt to write.
    pub(crate) health: watch::Sender<StoreHealth>,
    /// Whether the warning about a long write-ahead log was logged.
    pub(crate) warned_of_wal: bool,
    /// Whether a lost write-ahead log was copied completely into the database.
    pub(crate) is_rescued: bool,
    /// One flag each for reads of the log and for cheap queries, set while they fail.
    pub(crate) failing_readers: Vec<Arc<AtomicBool>>,
}

impl Writer {
    /// Runs until the lane is closed and every append is answered.
    pub(crate) fn run(&mut self, mut lane: mpsc::Receiver<Append>) {
        let mut batch = Vec::new();
        let mut due = Instant::now();
        loop {
            match receive(&mut lane, &mut batch, self.most_vectors, due) {
                Some(0) => break,
                Some(_) => {
                    while !batch.is_empty() {
                        let fitting = fitting(&batch);
                        self.answer(batch.drain(..fitting).collect());
                    }
                }
                None => {}
            }
            let now = Instant::now();
            if now >= due {
                due = now + if self.maintain() { MORE } else { MAINTENANCE };
            }
        }
    }

    /// Stores a batch and answers every caller.
    fn answer(&mut self, batch: Vec<Append>) {
        let (vectors, askers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|append| (append.submissions, append.answer)).unzip();
        match self.keep(vectors) {
            Ok(answers) => {
                for (asker, answer) in askers.into_iter().zip(answers) {
                    // A caller that dropped its future gets no answer; its vector is still stored
                    // completely or not at all.
                    let _ = asker.send(answer);
                }
            }
            Err(error) => {
                for asker in askers {
                    let _ = asker.send(Err(error.clone()));
                }
            }
        }
    }

    /// Removes some of the old and excess items, and tests a failed store with a write. Returns
    /// whether more items are due for removal.
    fn maintain(&mut self) -> bool {
        self.try_maintain().unwrap_or_else(|error| {
            self.failed(&error);
            false
        })
    }

    fn try_maintain(&mut self) -> Result<bool, DatabaseError> {
        let wal = self.prepare(0)?;
        self.warn_of_wal(wal);
        // If a step below fails, the connection is dropped. SQLite then rolls back the transaction.
        let mut connection = self.take_connection()?;
        connection.retained_at = self.retention.now(self.meta.clock.as_ref());
        let age = i64::try_from(self.retain_for.as_micros()).unwrap_or(i64::MAX);
        let horizon =
            Timestamp::from_unix_micros(connection.retained_at.unix_micros().saturating_sub(age));
        let failing = *self.health.borrow() != StoreHealth::Keeping;
        let usage = self.usage(wal);
        if failing || connection.is_due(&self.bounds, usage, horizon)? {
            connection.begin()?;
            if failing {
                connection.touch()?;
            }
            connection.trim(&self.bounds, usage)?;
            connection.trim_aged(horizon)?;
            connection.finish()?;
            (self.commit)(&connection.sqlite)?;
            self.connection = Some(connection);
            self.verify_files()?;
            connection = self.take_connection()?;
            self.publish(connection.head());
            self.settle(connection.only_open_alerts_left);
        }
        let more = connection.is_due(&self.bounds, self.usage(wal), horizon)?;
        self.connection = Some(connection);
        Ok(more)
    }

    /// Stores the vectors in one transaction and publishes the head. An error applies to all
    /// vectors.
    fn keep(&mut self, vectors: Vec<Vec<Submission>>) -> Result<Vec<AppendResult>, AppendError> {
        let bytes = vectors.iter().map(|vector| bytes_of(vector)).sum();
        let staged = self.prepare(bytes).and_then(|wal| {
            let mut connection = self.take_connection()?;
            let before = connection.counters;
            let answers = self.stage(&mut connection, vectors, wal)?;
            Ok((before, connection, answers))
        });
        let (before, connection, answers) = match staged {
            Ok(staged) => staged,
            Err(error) => {
                // A transaction that had begun was rolled back with its connection: nothing was
                // stored.
                self.failed(&error);
                return Err(AppendError::Unavailable);
            }
        };
        if let Err(error) = (self.commit)(&connection.sqlite) {
            // The transaction may or may not be on disk, and the counters may be wrong. So the
            // connection is discarded, and the counters are read from the file again. The file is
            // reopened immediately, because readers that already see the events wait for the head.
            drop(connection);
            self.failed(&error.into());
            match self.take_connection() {
                Ok(reopened) => self.connection = Some(reopened),
                Err(error) => self.failed(&error),
            }
            return Err(AppendError::OutcomeUnknown);
        }
        let (head, after) = (connection.head(), connection.counters);
        let is_full = connection.only_open_alerts_left;
        self.connection = Some(connection);
        if let Err(error) = self.verify_files() {
            // The events are in files that a restart may not find. The head is published when the
            // original files are back.
            self.failed(&error.into());
            return Err(AppendError::OutcomeUnknown);
        }
        if after != before {
            self.statistics.count(after.head - before.head);
            self.settle(is_full);
        }
        self.publish(head);
        Ok(answers)
    }

    /// Writes all vectors into a transaction that is then ready to commit.
    fn stage(
        &mut self,
        connection: &mut WriteConnection,
        vectors: Vec<Vec<Submission>>,
        wal: u64,
    ) -> Result<Vec<AppendResult>, DatabaseError> {
        connection.retained_at = self.retention.now(self.meta.clock.as_ref());
        connection.begin()?;
        let mut answers = Vec::with_capacity(vectors.len());
        for vector in vectors {
            answers.push(match connection.append(vector, &self.meta) {
                Ok(outcomes) => Ok(outcomes),
                Err(VectorError::Rejected { index, rejection }) => {
                    Err(AppendError::Rejected { index, rejection })
                }
                // Only this vector fails: a stored answer is damaged, or the store accepts only
                // actions on alerts. The transaction continues.
                Err(VectorError::Failed(
                    DatabaseError::UnreadableAnswer | DatabaseError::OnlyOpenAlertsLeft,
                )) => Err(AppendError::Unavailable),
                Err(VectorError::Failed(error)) => {
                    self.failed(&error);
                    Err(AppendError::Unavailable)
                }
                Err(VectorError::TransactionLost(error)) => return Err(error),
            });
        }
        connection.trim(&self.bounds, self.usage(wal))?;
        connection.finish()?;
        Ok(answers)
    }

    /// Takes the connection, and reopens it if it was lost.
    fn take_connection(&mut self) -> Result<WriteConnection, DatabaseError> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let connection = WriteConnection::reopen(&self.file, self.statistics.unreadable.clone())?;
        self.files.wal_was_reopened();
        // Clients may have seen the published head, so a database with another epoch or an older
        // head is refused.
        if connection.epoch != self.epoch || connection.counters.head < self.head.borrow().offset {
            return Err(DatabaseError::Replaced);
        }
        self.publish(connection.head());
        Ok(connection)
    }

    fn publish(&self, head: Position) {
        self.head.send_if_modified(|shown| std::mem::replace(shown, head) != head);
    }

    /// Publishes the health after a failure. Logs the failure and the advice only if the health
    /// changed.
    fn failed(&self, error: &DatabaseError) {
        let health = health_of(error);
        if self.health.send_replace(health) != health {
            if let StoreHealth::FileChanged {
                file: "northgate.db" | "northgate.db-wal",
                change: FileChange::Truncated,
            } = health
            {
                self.note(Note::DataLost);
            }
            tracing::error!(%error, what_to_do = advice(error), "the store cannot write events");
        }
    }

    fn note(&self, what: Note) {
        if let Err(error) = self.files.note(what) {
            tracing::warn!(
                %error,
                "cannot write northgate.lock; the next start will not detect this problem"
            );
        }
    }

    /// Publishes the health after a successful write: `Keeping`, or `OnlyOpenAlertsLeft`.
    fn settle(&self, only_open_alerts_left: bool) {
        if only_open_alerts_left {
            self.failed(&DatabaseError::OnlyOpenAlertsLeft);
        } else if self.health.send_replace(StoreHealth::Keeping) != StoreHealth::Keeping {
            tracing::info!("the store can write events again");
        }
    }
}

/// Returns how many of the first vectors fit in one transaction; at least 1.
fn fitting(batch: &[Append]) -> usize {
    let mut bytes = 0;
    let fitting = batch.iter().take_while(|append| {
        bytes += bytes_of(&append.submissions);
        bytes <= BATCH_BYTES
    });
    fitting.count().max(1)
}

/// Returns the approximate size in bytes of the events of a vector.
fn bytes_of(vector: &[Submission]) -> u64 {
    vector.iter().map(|submission| submission.command.approximate_bytes() as u64).sum()
}

/// Waits for appends until `due`. Returns how many arrived, `Some(0)` if the lane is closed, or
/// `None` if nothing arrived in time.
fn receive(
    lane: &mut mpsc::Receiver<Append>,
    batch: &mut Vec<Append>,
    most: usize,
    due: Instant,
) -> Option<usize> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(count) = lane.poll_recv_many(&mut context, batch, most) {
            return Some(count);
        }
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        // The thread may wake up early, so the loop polls the lane again.
        thread::park_timeout(left);
    }
}

/// Wakes the writer's thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
