//! Tests of the paced log: appends wait for a reader that is too far behind, but not forever.

use northgate_domain::{Epoch, Position};
use northgate_storage::{Capacity, EventLog, MemoryStore, PacedLog};
use northgate_testkit::{ManualClock, say};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use tokio::sync::watch;
use tokio::time::Instant;

const LAG: u64 = 3;

fn start() -> Position {
    Position::start(Epoch::new(7))
}

/// Returns a paced log, and a sender that sets the position of the reader.
fn paced() -> (PacedLog, watch::Sender<Position>) {
    let meta = ManualClock::at(0).meta();
    let memory = MemoryStore::new(Epoch::new(7), Capacity::default(), meta);
    let (reader, at) = watch::channel(start());
    (PacedLog::new(Arc::new(memory), at, LAG), reader)
}

#[tokio::test(start_paused = true)]
async fn an_append_waits_while_the_reader_is_too_far_behind() {
    let (log, reader) = paced();
    let began = Instant::now();
    for _ in 0..=LAG {
        log.append(vec![say("hello")]).await.unwrap();
    }
    let mut waiting = pin!(log.append(vec![say("hello")]));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    assert_eq!(log.head().borrow().offset, LAG + 1, "a waiting append has stored nothing");
    reader.send_replace(start().advanced_by(1));
    waiting.await.unwrap();
    assert_eq!(
        began.elapsed().as_millis(),
        0,
        "the append continues as soon as the reader is near enough"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stuck_or_dropped_reader_delays_appends_only_briefly() {
    let (log, reader) = paced();
    for _ in 0..=LAG + 1 {
        log.append(vec![say("hello")]).await.unwrap();
    }
    drop(reader);
    let began = Instant::now();
    log.append(vec![say("hello")]).await.unwrap();
    assert_eq!(began.elapsed().as_millis(), 0, "an append does not wait for a dropped reader");
}
