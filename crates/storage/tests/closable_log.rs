//! Tests of the closable log: which appends a close waits for, and which calls still work
//! afterwards.

use async_trait::async_trait;
use northgate_domain::{Epoch, Event, MessageQuery, Position, Positioned};
use northgate_storage::{
    AppendError, Capacity, ClosableLog, EventLog, MemoryStore, Outcome, ReadError, ReadFrom,
    ReadModel, Submission,
};
use northgate_testkit::{ManualClock, say};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use tokio::sync::{Notify, watch};

fn memory_store() -> MemoryStore {
    MemoryStore::new(Epoch::new(7), Capacity::default(), ManualClock::at(0).meta())
}

/// A log in memory whose appends wait until the test releases each one.
struct SlowLog {
    inner: MemoryStore,
    arrived: AtomicUsize,
    let_one_on: Notify,
}

impl SlowLog {
    fn new() -> Arc<Self> {
        let (arrived, let_one_on) = (AtomicUsize::new(0), Notify::new());
        Arc::new(Self { inner: memory_store(), arrived, let_one_on })
    }

    /// Returns the number of appends that have arrived so far.
    fn arrived(&self) -> usize {
        self.arrived.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl EventLog for SlowLog {
    async fn append(&self, submissions: Vec<Submission>) -> Result<Vec<Outcome>, AppendError> {
        self.arrived.fetch_add(1, Ordering::Relaxed);
        self.let_one_on.notified().await;
        self.inner.append(submissions).await
    }

    async fn read(
        &self,
        from: ReadFrom,
        limit: usize,
    ) -> Result<Vec<Positioned<Event>>, ReadError> {
        self.inner.read(from, limit).await
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.inner.head()
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test]
async fn a_closed_log_returns_unavailable_and_stores_nothing() {
    let inner = Arc::new(memory_store());
    let log = ClosableLog::new(inner.clone());
    assert_eq!(log.append(vec![say("before")]).await.unwrap().len(), 1);
    log.close().await;
    let kept = *inner.head().borrow();
    for _ in 0..3 {
        assert_eq!(log.append(vec![say("after")]).await, Err(AppendError::Unavailable));
        log.close().await;
    }
    assert_eq!(*inner.head().borrow(), kept);
    assert_eq!(inner.messages(MessageQuery::newest(10)).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn closing_waits_for_running_appends_and_refuses_new_ones() {
    let slow = SlowLog::new();
    let log = ClosableLog::new(slow.clone());
    let mut first = pin!(log.append(vec![say("first")]));
    let mut second = pin!(log.append(vec![say("second")]));
    assert!(poll(first.as_mut()).is_pending());
    assert!(poll(second.as_mut()).is_pending());
    assert_eq!(slow.arrived(), 2, "appends run at the same time");

    let mut close = pin!(log.close());
    assert!(poll(close.as_mut()).is_pending());
    let late = poll(pin!(log.append(vec![say("late")])));
    assert_eq!(late, Poll::Ready(Err(AppendError::Unavailable)));
    assert_eq!(slow.arrived(), 2);
    assert!(poll(close.as_mut()).is_pending(), "closing still waits for the running appends");

    slow.let_one_on.notify_one();
    assert_eq!(first.await.unwrap().len(), 1);
    assert!(poll(close.as_mut()).is_pending(), "one append is still running");
    slow.let_one_on.notify_one();
    assert_eq!(second.await.unwrap().len(), 1);
    assert!(poll(close.as_mut()).is_ready());
    assert_eq!(log.head().borrow().offset, 2);
}

#[tokio::test]
async fn closing_does_not_wait_for_a_cancelled_append() {
    let log = ClosableLog::new(SlowLog::new());
    let mut close = pin!(log.close());
    {
        let mut append = pin!(log.append(vec![say("never answered")]));
        assert!(poll(append.as_mut()).is_pending());
        assert!(poll(close.as_mut()).is_pending());
    }
    assert!(poll(close.as_mut()).is_ready());
}

#[tokio::test]
async fn a_closed_log_can_still_be_read() {
    let inner = Arc::new(memory_store());
    let log = ClosableLog::new(inner.clone());
    let start = *log.head().borrow();
    log.append(vec![say("before")]).await.unwrap();
    log.close().await;
    assert_eq!(log.head().borrow().offset, 1);
    let events = log.read(ReadFrom::After(start), 10).await;
    assert_eq!(events, inner.read(ReadFrom::After(start), 10).await);
    assert_eq!(events.unwrap().len(), 1);
    inner.append(vec![say("by another way")]).await.unwrap();
    assert_eq!(log.head().borrow().offset, 2, "the head is still that of the inner store");
}
