//! A log for tests: its reads can fail, hang or be slow, and are counted.

use async_trait::async_trait;
use northgate_domain::{Event, Position, Positioned};
use northgate_storage::{
    AppendError, EventLog, MemoryStore, Outcome, ReadError, ReadFrom, Submission, Unavailable,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::watch;
use tokio::task::yield_now;

/// Behaviour of a read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reads {
    Pass,
    Fail,
    /// Returns only after the behaviour has changed.
    Hang,
    /// Returns no events, even if the log has some.
    Nothing,
    /// Lets other tasks run before the read returns.
    Dawdle,
}

pub(crate) struct FaultyLog {
    inner: MemoryStore,
    reads: watch::Sender<Reads>,
    asked: AtomicUsize,
    under_way: AtomicUsize,
    most_at_once: AtomicUsize,
    most_events: AtomicUsize,
}

/// Guard that counts one running read.
struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl FaultyLog {
    pub(crate) fn new(inner: MemoryStore) -> Self {
        Self {
            inner,
            reads: watch::Sender::new(Reads::Pass),
            asked: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            most_events: AtomicUsize::new(0),
        }
    }

    pub(crate) fn let_reads(&self, reads: Reads) {
        self.reads.send_replace(reads);
    }

    /// Returns the number of reads since the last call.
    pub(crate) fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }

    /// Returns the number of reads that are running.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::SeqCst)
    }

    /// Returns the maximum number of reads that ran at the same time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.most_at_once.load(Ordering::SeqCst)
    }

    /// Returns the largest limit of a read, in events.
    pub(crate) fn most_events(&self) -> usize {
        self.most_events.load(Ordering::Relaxed)
    }

    fn begin(&self) -> UnderWay<'_> {
        let others = self.under_way.fetch_add(1, Ordering::SeqCst);
        self.most_at_once.fetch_max(others + 1, Ordering::SeqCst);
        UnderWay(&self.under_way)
    }
}

#[async_trait]
impl EventLog for FaultyLog {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        self.inner.append(submissions).await
    }

    async fn read(
        &self,
        from: ReadFrom,
        limit: usize,
    ) -> Result<Vec<Positioned<Event>>, ReadError> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        self.most_events.fetch_max(limit, Ordering::Relaxed);
        let _under_way = self.begin();
        let mut reads = self.reads.subscribe();
        let reads = *reads.wait_for(|reads| !matches!(reads, Reads::Hang)).await.unwrap();
        match reads {
            Reads::Fail => {
                assert!(asked < 1_000, "a store that fails is read again without a pause");
                return Err(ReadError::Unavailable(Unavailable));
            }
            Reads::Nothing => {
                assert!(
                    asked < 1_000,
                    "a store that returns nothing is read again without a pause"
                );
                return Ok(Vec::new());
            }
            Reads::Dawdle => {
                for _ in 0..3 {
                    yield_now().await;
                }
            }
            Reads::Pass | Reads::Hang => {}
        }
        self.inner.read(from, limit).await
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.inner.head()
    }
}
