//! The threads that read: a few, each with a connection of its own, and one row of questions for
//! all of them.

use crate::database::{DatabaseError, connect_to_read};
use crate::store::{Lane, Shared};
use northgate_storage::Unavailable;
use parking_lot::Mutex;
use rusqlite::Connection;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use tokio::sync::{mpsc, oneshot};

/// The most questions that wait. When so many do, whoever has another one waits to ask it.
const WAITING: usize = 256;

type Job = Box<dyn FnOnce(&mut Reader) + Send>;

/// Takes questions to the threads.
pub(crate) struct Readers {
    lane: Lane<Job>,
}

impl Readers {
    /// Starts `count` threads that read `file`, named after their row. They end once the lane is closed and what waits in
    /// it is answered.
    pub(crate) fn start(
        row: &str,
        file: &Path,
        count: NonZeroUsize,
        shared: &Shared,
        threads: &mut Vec<JoinHandle<()>>,
    ) -> std::io::Result<Self> {
        let (lane, jobs) = mpsc::channel(WAITING);
        let jobs = Arc::new(Mutex::new(jobs));
        let failing = Arc::new(AtomicBool::new(false));
        for number in 0..count.get() {
            let mut reader =
                Reader { file: file.to_owned(), connection: None, failing: failing.clone() };
            let jobs = jobs.clone();
            let shared = shared.clone();
            let thread = thread::Builder::new().name(format!("store-{row}-{number}"));
            threads.push(thread.spawn(move || {
                while let Some(job) = next(&jobs) {
                    job(&mut reader);
                }
                drop(reader);
                drop(shared);
            })?);
        }
        Ok(Self { lane: Lane::new(lane) })
    }

    /// Answers `question` from one state of the database.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |reader| {
            // Whoever has gone away needs no answer.
            if !answer.is_closed() {
                let _ = answer.send(reader.answer(question));
            }
        });
        let lane = self.lane.enter().ok_or(Unavailable)?;
        lane.send(job).await.map_err(|_closed| Unavailable)?;
        drop(lane);
        answered.await.map_err(|_gone| Unavailable)?
    }

    pub(crate) fn close(&self) {
        self.lane.close();
    }
}

/// Waits for the next job. One thread waits for it, and the others wait for that one's place.
fn next(jobs: &Mutex<mpsc::Receiver<Job>>) -> Option<Job> {
    jobs.lock().blocking_recv()
}

/// One thread's way to the database.
struct Reader {
    file: PathBuf,
    connection: Option<Connection>,
    /// Of all readers: what is wrong is told once, and so is that it is well again.
    failing: Arc<AtomicBool>,
}

impl Reader {
    fn answer<T>(
        &mut self,
        question: impl FnOnce(&Connection) -> Result<T, DatabaseError>,
    ) -> Result<T, Unavailable> {
        match self.try_answer(question) {
            Ok(answer) => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("the store can be read again");
                }
                Ok(answer)
            }
            Err(error) => {
                if !self.failing.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "the store cannot be read");
                }
                Err(Unavailable)
            }
        }
    }

    fn try_answer<T>(
        &mut self,
        question: impl FnOnce(&Connection) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect_to_read(&self.file)?,
        };
        // The transaction is the snapshot. It only reads, so its end keeps nothing.
        let transaction = connection.unchecked_transaction()?;
        let answer = question(&transaction)?;
        transaction.finish()?;
        // A connection that failed is not kept: the next question gets a new one.
        self.connection = Some(connection);
        Ok(answer)
    }
}
