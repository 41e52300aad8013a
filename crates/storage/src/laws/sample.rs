//! Sample commands, capacities and reads for the laws.

use super::Harness;
use super::manual_clock::ManualClock;
use crate::{
    Capacity, EventStore, Fingerprint, IdempotencyKey, Outcome, PAGE_EVENTS, ReadFrom, Submission,
};
use northgate_domain::{
    Command, Event, Location, MessageText, Position, Positioned, PostMessage, RaiseAlert, Sender,
};
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Returns a capacity of `events` events, and of 100,000 alerts, messages and keys each.
pub(super) fn window(events: usize) -> Capacity {
    let plenty = NonZeroUsize::new(100_000).unwrap();
    Capacity {
        events: NonZeroUsize::new(events).unwrap(),
        alerts: plenty,
        messages: plenty,
        keys: plenty,
    }
}

pub(super) async fn open(harness: &dyn Harness, capacity: Capacity) -> Arc<dyn EventStore> {
    harness.open(capacity, ManualClock::counting().meta()).await
}

pub(super) fn raise(message: &str) -> Submission {
    raise_at("North Gate", message)
}

pub(super) fn raise_at(location: &str, message: &str) -> Submission {
    let message = MessageText::parse(message).unwrap();
    let raise = RaiseAlert::new(message, Location::parse(location).unwrap());
    Submission::from(Command::RaiseAlert(raise))
}

pub(super) fn say(message: &str) -> Submission {
    Submission::from(Command::PostMessage(PostMessage {
        sender: Sender::parse("Operator 1").unwrap(),
        message: MessageText::parse(message).unwrap(),
        alert_id: None,
    }))
}

/// Adds a key to a submission. The fingerprint of the key is computed from the debug text of the
/// command.
pub(super) fn keyed(mut submission: Submission, scope: &str, value: &str) -> Submission {
    let mut digest = [0; 32];
    for (at, byte) in format!("{:?}", submission.command).bytes().enumerate() {
        digest[at % 32] ^= byte.rotate_left(u32::try_from(at / 32 % 8).unwrap());
    }
    submission.key = Some(IdempotencyKey {
        scope: scope.to_owned(),
        value: value.to_owned(),
        fingerprint: Some(Fingerprint(digest)),
    });
    submission
}

pub(super) async fn append_one(store: &dyn EventStore, submission: Submission) -> Outcome {
    let text = format!("{:?}", submission.command);
    let appended = store.append(vec![submission]).await;
    let mut outcomes =
        appended.unwrap_or_else(|error| panic!("append failed with {error:?} for {text}"));
    assert_eq!(outcomes.len(), 1, "append did not return one outcome per submission");
    outcomes.remove(0)
}

pub(super) async fn append(store: &dyn EventStore, submission: Submission) -> Positioned<Event> {
    match append_one(store, submission).await {
        Outcome::Appended { event, .. } => event,
        other => panic!("append did not store a new event but returned {other:?}"),
    }
}

pub(super) fn head(store: &dyn EventStore) -> Position {
    *store.head().borrow()
}

/// Returns all retained events after a position, read page by page.
pub(super) async fn everything_after(
    store: &dyn EventStore,
    mut after: Position,
) -> Vec<Positioned<Event>> {
    let mut events = Vec::new();
    loop {
        let page = store.read(ReadFrom::After(after), PAGE_EVENTS).await.unwrap();
        assert_contiguous(&page, after);
        let Some(last) = page.last() else {
            return events;
        };
        after = last.position;
        events.extend(page);
    }
}

pub(super) fn assert_contiguous(events: &[Positioned<Event>], after: Position) {
    for (event, count) in events.iter().zip(1..) {
        assert_eq!(
            event.position,
            after.advanced_by(count),
            "the store returned events whose offsets do not rise by one"
        );
    }
}

pub(super) fn text(event: &Event) -> &str {
    match event {
        Event::Alert(event) => event.alert.message.as_str(),
        Event::Chat(chat) => chat.message.as_str(),
    }
}

/// Returns whether all tasks have ended. A task that panicked fails the law.
pub(super) fn have_ended(tasks: &mut JoinSet<()>) -> bool {
    while let Some(ended) = tasks.try_join_next() {
        ended.expect("a task of the law panicked");
    }
    tasks.is_empty()
}

/// Keeps writers at most [`Lockstep::AHEAD`] appends ahead of a reader. Without it the writers could
/// end before the reader begins, and a law about concurrent reads would check nothing.
#[derive(Clone)]
pub(super) struct Lockstep(Arc<Semaphore>);

impl Lockstep {
    const AHEAD: usize = 20;

    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(Self::AHEAD)))
    }

    /// A writer waits here before each append.
    pub(super) async fn before_append(&self) {
        self.0.acquire().await.expect("the semaphore is never closed").forget();
    }

    /// The reader has finished a round of queries.
    pub(super) async fn after_round(&self) {
        // Permits that no writer used do not add up.
        self.0.add_permits(Self::AHEAD.saturating_sub(self.0.available_permits()));
        tokio::task::yield_now().await;
    }
}
