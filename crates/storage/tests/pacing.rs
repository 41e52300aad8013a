//! Appends keep pace with a follower: they wait for it, and not for ever.
#![expect(clippy::unwrap_used, reason = "what the tests have in common fails as they do")]

use northgate_domain::{
    Command, Epoch, EventMeta, MessageText, Position, PostMessage, Sender, Stamps, Timestamp,
};
use northgate_storage::{Capacity, EventStore, GatedStore, MemoryStore, Submission};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

const LAG: u64 = 3;

struct SameStamp;

impl Stamps for SameStamp {
    fn stamp(&self) -> EventMeta {
        EventMeta::new(Uuid::nil(), Timestamp::from_unix_micros(0))
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(0)
    }
}

fn chat() -> Vec<Submission> {
    vec![Submission::from(Command::PostMessage(PostMessage {
        sender: Sender::parse("Operator 1").unwrap(),
        message: MessageText::parse("hello").unwrap(),
        alert_id: None,
    }))]
}

fn start() -> Position {
    Position::start(Epoch::new(7))
}

/// A store, and the follower that it keeps pace with.
fn paced() -> (GatedStore, watch::Sender<Position>) {
    let memory = MemoryStore::new(Epoch::new(7), Capacity::default(), Arc::new(SameStamp));
    let (follower, at) = watch::channel(start());
    (GatedStore::new(Arc::new(memory)).paced_by(at, LAG), follower)
}

#[tokio::test(start_paused = true)]
async fn an_append_waits_while_the_follower_is_too_far_behind() {
    let (store, follower) = paced();
    let began = Instant::now();
    for _ in 0..=LAG {
        store.append(chat()).await.unwrap();
    }
    let mut waiting = pin!(store.append(chat()));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    assert_eq!(store.head().borrow().offset, LAG + 1, "nothing was kept while it waits");
    follower.send_replace(start().advanced_by(1));
    waiting.await.unwrap();
    assert_eq!(began.elapsed().as_millis(), 0, "and it goes on as soon as it may");
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_is_stuck_or_gone_stops_nobody_for_long() {
    let (store, follower) = paced();
    for _ in 0..=LAG + 1 {
        store.append(chat()).await.unwrap();
    }
    drop(follower);
    let began = Instant::now();
    store.append(chat()).await.unwrap();
    assert_eq!(began.elapsed().as_millis(), 0, "a follower that is gone is not waited for");
}
