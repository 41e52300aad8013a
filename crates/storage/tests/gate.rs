//! The gate: what closes it, whom it waits for, and what passes all the same.
#![expect(clippy::unwrap_used, reason = "what the tests have in common fails as they do")]

use async_trait::async_trait;
use northgate_domain::{
    Alert, AlertId, ChatMessage, Command, Epoch, Event, EventMeta, MessageText, Position,
    Positioned, PostMessage, Sender, Stamps, Timestamp,
};
use northgate_storage::{
    AlertQuery, AppendError, Capacity, Deadlines, EventStore, GatedStore, MemoryStore,
    MessageQuery, Outcome, QueryError, ReadError, ReadFrom, Snapshot, Submission, Summary,
    Unavailable,
};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

struct SameStamp;

impl Stamps for SameStamp {
    fn stamp(&self) -> EventMeta {
        EventMeta::new(Uuid::nil(), Timestamp::from_unix_micros(0))
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(0)
    }
}

fn memory_store() -> MemoryStore {
    MemoryStore::new(Epoch::new(7), Capacity::default(), Arc::new(SameStamp))
}

fn chat(text: &str) -> Vec<Submission> {
    vec![Submission::from(Command::PostMessage(PostMessage {
        sender: Sender::parse("Operator 1").unwrap(),
        message: MessageText::parse(text).unwrap(),
        alert_id: None,
    }))]
}

/// A store in memory whose appends wait until they are let on, one by one.
struct SlowStore {
    inner: MemoryStore,
    arrived: AtomicUsize,
    let_one_on: Notify,
}

impl SlowStore {
    fn new() -> Arc<Self> {
        let (arrived, let_one_on) = (AtomicUsize::new(0), Notify::new());
        Arc::new(Self { inner: memory_store(), arrived, let_one_on })
    }

    /// How many appends came so far.
    fn arrived(&self) -> usize {
        self.arrived.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl EventStore for SlowStore {
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

    async fn alerts(&self, query: AlertQuery) -> Result<Snapshot<Positioned<Alert>>, QueryError> {
        self.inner.alerts(query).await
    }

    async fn messages(
        &self,
        query: MessageQuery,
    ) -> Result<Snapshot<Positioned<ChatMessage>>, QueryError> {
        self.inner.messages(query).await
    }

    async fn alert(&self, id: AlertId) -> Result<Option<Positioned<Alert>>, Unavailable> {
        self.inner.alert(id).await
    }

    async fn summary(&self) -> Result<Summary, Unavailable> {
        self.inner.summary().await
    }

    async fn overdue(
        &self,
        deadlines: Deadlines,
        limit: usize,
    ) -> Result<Vec<Positioned<Alert>>, Unavailable> {
        self.inner.overdue(deadlines, limit).await
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test]
async fn a_closed_gate_answers_unavailable_and_keeps_nothing() {
    let inner = Arc::new(memory_store());
    let gate = GatedStore::new(inner.clone());
    assert_eq!(gate.append(chat("before")).await.unwrap().len(), 1);
    gate.close().await;
    let kept = *inner.head().borrow();
    for _ in 0..3 {
        assert_eq!(gate.append(chat("after")).await, Err(AppendError::Unavailable));
        gate.close().await;
    }
    assert_eq!(*inner.head().borrow(), kept);
    assert_eq!(inner.messages(MessageQuery::newest(10)).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn closing_waits_for_the_appends_under_way_and_lets_no_new_one_through() {
    let slow = SlowStore::new();
    let gate = GatedStore::new(slow.clone());
    let mut first = pin!(gate.append(chat("first")));
    let mut second = pin!(gate.append(chat("second")));
    assert!(poll(first.as_mut()).is_pending());
    assert!(poll(second.as_mut()).is_pending());
    assert_eq!(slow.arrived(), 2, "appends pass beside each other");

    let mut close = pin!(gate.close());
    assert!(poll(close.as_mut()).is_pending());
    let late = poll(pin!(gate.append(chat("late"))));
    assert_eq!(late, Poll::Ready(Err(AppendError::Unavailable)));
    assert_eq!(slow.arrived(), 2);
    assert!(poll(close.as_mut()).is_pending(), "a refusal is not the answer that it waits for");

    slow.let_one_on.notify_one();
    assert_eq!(first.await.unwrap().len(), 1);
    assert!(poll(close.as_mut()).is_pending(), "one is still under way");
    slow.let_one_on.notify_one();
    assert_eq!(second.await.unwrap().len(), 1);
    assert!(poll(close.as_mut()).is_ready());
    assert_eq!(gate.head().borrow().offset, 2);
}

#[tokio::test]
async fn closing_does_not_wait_for_a_caller_that_went_away() {
    let gate = GatedStore::new(SlowStore::new());
    let mut close = pin!(gate.close());
    {
        let mut append = pin!(gate.append(chat("never answered")));
        assert!(poll(append.as_mut()).is_pending());
        assert!(poll(close.as_mut()).is_pending());
    }
    assert!(poll(close.as_mut()).is_ready());
}

#[tokio::test]
async fn reads_pass_a_closed_gate() {
    let inner = Arc::new(memory_store());
    let gate = GatedStore::new(inner.clone());
    let start = *gate.head().borrow();
    gate.append(chat("before")).await.unwrap();
    gate.close().await;
    assert_eq!(gate.head().borrow().offset, 1);
    let events = gate.read(ReadFrom::After(start), 10).await;
    assert_eq!(events, inner.read(ReadFrom::After(start), 10).await);
    assert_eq!(events.unwrap().len(), 1);
    assert_eq!(gate.messages(MessageQuery::newest(10)).await.unwrap().items.len(), 1);
    assert_eq!(gate.alerts(AlertQuery::newest(10)).await.unwrap().items, vec![]);
    assert_eq!(gate.alert(AlertId(Uuid::nil())).await.unwrap(), None);
    inner.append(chat("by another way")).await.unwrap();
    assert_eq!(gate.head().borrow().offset, 2, "the head is still the inner store's");
}
