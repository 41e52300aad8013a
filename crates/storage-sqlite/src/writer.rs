//! The thread that writes: it takes all commands that wait, keeps them in one transaction, moves
//! the head, and then answers all of them.

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

/// How often the writer looks for what is too old or too much, and whether a disk that failed takes
/// anything again.
const MAINTENANCE: Duration = Duration::from_secs(1);
/// The pause before it goes on with more than it removes at once: appends come in between.
const MORE: Duration = Duration::from_millis(5);

/// The most bytes of events that one transaction writes: what a small disk must have room for, and
/// what is in memory at once.
const BATCH_BYTES: u64 = 4 * 1024 * 1024;

type AppendResult = Result<Vec<Outcome>, AppendError>;

/// One call of `append`, on its way.
pub(crate) struct Append {
    pub(crate) submissions: Vec<Submission>,
    pub(crate) answer: oneshot::Sender<AppendResult>,
}

/// What ends a transaction: `COMMIT`, and in tests whatever can go wrong with one.
pub(crate) type Commit = Box<dyn FnMut(&Connection) -> rusqlite::Result<()> + Send>;

/// Ends a transaction.
pub(crate) fn commit(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("COMMIT")?.execute([]).map(|_rows| ())
}

/// Whoever follows the log: the position that it has read, as it moves.
pub(crate) type Follower = OnceLock<watch::Receiver<Position>>;

/// What the writing thread has.
pub(crate) struct Writer {
    pub(crate) file: PathBuf,
    pub(crate) epoch: Epoch,
    /// Absent after a failure, until the database can be opened again.
    pub(crate) connection: Option<WriteConnection>,
    pub(crate) files: StoreFiles,
    pub(crate) bounds: Bounds,
    /// How far the fan-out has read, if there is one.
    pub(crate) follower: Arc<Follower>,
    /// The most vectors of one transaction.
    pub(crate) most_vectors: usize,
    pub(crate) meta: MetaSource,
    /// By what keys and old events are forgotten.
    pub(crate) retention: RetentionClock,
    pub(crate) commit: Commit,
    pub(crate) head: watch::Sender<Position>,
    pub(crate) statistics: Arc<WriteStatistics>,
    pub(crate) retain_for: Duration,
    /// Whether the last attempt to write went well, and why not.
    pub(crate) health: watch::Sender<StoreHealth>,
    /// Whether it was said that something keeps the write-ahead log from being emptied.
    pub(crate) warned_of_wal: bool,
    /// Whether everything is in the database though its write-ahead log is gone.
    pub(crate) is_rescued: bool,
    /// Set while a lane of readers fails.
    pub(crate) failing_readers: Vec<Arc<AtomicBool>>,
}

impl Writer {
    /// Works until nobody can send any more and everything that was sent is answered.
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

    /// Keeps what is in `batch`, and answers everyone who sent it.
    fn answer(&mut self, batch: Vec<Append>) {
        let (vectors, askers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|append| (append.submissions, append.answer)).unzip();
        match self.keep(vectors) {
            Ok(answers) => {
                for (asker, answer) in askers.into_iter().zip(answers) {
                    // Whoever has gone away has left a whole vector behind, or none.
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

    /// Removes some of what is too old or too much, and tries a disk that failed. Says whether
    /// there is more to do at once.
    fn maintain(&mut self) -> bool {
        self.try_maintain().unwrap_or_else(|error| {
            self.failed(&error);
            false
        })
    }

    fn try_maintain(&mut self) -> Result<bool, DatabaseError> {
        let wal = self.prepare(0)?;
        self.warn_of_wal(wal);
        // Whatever fails on the way takes the connection with it, and the transaction.
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

    /// Keeps the vectors in one transaction, and moves the head. An error is for all of them.
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
                // If a transaction had begun, it went with its connection: nothing of it was kept.
                self.failed(&error);
                return Err(AppendError::Unavailable);
            }
        };
        if let Err(error) = (self.commit)(&connection.sqlite) {
            // It may be on disk or not. What the file says is true, and nothing that is known
            // here: opened again at once, so that readers who can see it are not left waiting.
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
            // It is in files that a restart may not find. Nobody is told of it before they are
            // back; then the head moves.
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

    /// Puts everything into a transaction that is ready to commit.
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
                // One record is bad, or there is room for actions alone: the store is not.
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

    /// The connection, opened anew if the last one was lost.
    fn take_connection(&mut self) -> Result<WriteConnection, DatabaseError> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let connection = WriteConnection::reopen(&self.file, self.statistics.unreadable.clone())?;
        self.files.wal_was_reopened();
        // A head that was shown cannot be taken back, nor may another file take its place.
        if connection.epoch != self.epoch || connection.counters.head < self.head.borrow().offset {
            return Err(DatabaseError::Replaced);
        }
        self.publish(connection.head());
        Ok(connection)
    }

    fn publish(&self, head: Position) {
        self.head.send_if_modified(|shown| std::mem::replace(shown, head) != head);
    }

    /// Says once what is wrong, and what to do about it.
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
            tracing::error!(%error, what_to_do = advice(error), "the store cannot keep events");
        }
    }

    fn note(&self, what: Note) {
        if let Err(error) = self.files.note(what) {
            tracing::warn!(%error, "northgate.lock cannot be written; the next start knows nothing");
        }
    }

    /// Says that something was kept, and whether there is room for actions alone now.
    fn settle(&self, only_open_alerts_left: bool) {
        if only_open_alerts_left {
            self.failed(&DatabaseError::OnlyOpenAlertsLeft);
        } else if self.health.send_replace(StoreHealth::Keeping) != StoreHealth::Keeping {
            tracing::info!("the store keeps events again");
        }
    }
}

/// How many of the first vectors make one transaction.
fn fitting(batch: &[Append]) -> usize {
    let mut bytes = 0;
    let fitting = batch.iter().take_while(|append| {
        bytes += bytes_of(&append.submissions);
        bytes <= BATCH_BYTES
    });
    fitting.count().max(1)
}

/// Roughly how many bytes of events a vector leads to.
fn bytes_of(vector: &[Submission]) -> u64 {
    vector.iter().map(|submission| submission.command.approximate_bytes() as u64).sum()
}

/// Waits for what comes, until `due`: how many came, none if nobody can send any more, or `None` if
/// nothing came in time.
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
        // Early or not, what woke us is seen above.
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
