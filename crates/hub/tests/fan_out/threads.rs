//! Many threads together: every cursor returns every later event once and in one order.

use crate::one_thread::{Running, on_one_thread, settled};
use crate::sample::{ENCODER, ROOMY, append, json, memory_store, next, take_offsets, websocket};
use northgate_domain::{Event, Position, Positioned};
use northgate_hub::{Cursor, End, Frame, Hub, Step, Worker};
use northgate_storage::{EventLog, next_page};
use northgate_testkit::say;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::task::{JoinSet, LocalSet, coop};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const WORKERS: usize = 3;
const WRITERS: usize = 3;
const READERS_FROM_THE_START: usize = 4;
/// Number of short-lived cursors of each worker, one after the other.
const ROUNDS: usize = 100;
/// Maximum number of appends of a writer, so that the test ends even if the readers never finish.
const MOST_APPENDS: usize = 20_000;
/// Maximum time that a thread waits for the others.
const PATIENCE: Duration = Duration::from_mins(1);

/// Start of one cursor, and the frames that it returned.
type Received = (Position, Vec<Frame>);

#[test]
fn cursors_on_every_thread_return_each_later_event_once_in_order() {
    let store: Arc<dyn EventLog> = Arc::new(memory_store(1_000_000));
    let start = *store.head().borrow();
    let (hub, pump) = Hub::new(store.clone(), ROOMY, ENCODER);
    let finished = AtomicUsize::new(0);
    let stop = CancellationToken::new();
    let seen: Vec<Received> = thread::scope(|scope| {
        let _stopped_in_any_case = stop.clone().drop_guard();
        scope.spawn(|| wait_for(pump.run(stop.clone())));
        let readers: Vec<_> = (0..WORKERS)
            .map(|_| scope.spawn(|| wait_for(read_along(&hub, store.as_ref(), start, &finished))))
            .collect();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (hub, store, finished) = (&hub, store.as_ref(), &finished);
                scope.spawn(move || wait_for(write_along(hub, store, writer, finished)))
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        wait_for(hub.caught_up());
        hub.drain();
        readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect()
    });

    let events = wait_for(everything_after(store.as_ref(), start));
    assert!(events.len() > ROUNDS * WORKERS);
    let (_, first) = seen.iter().find(|(began, _)| *began == start).unwrap();
    let first_from = |began: Position| &first[usize::try_from(began.offset).unwrap()..];
    for (event, frame) in events.iter().zip(first) {
        assert_eq!(json(frame), json(&Frame::encode(event, ENCODER)));
    }
    for (began, frames) in &seen {
        assert_eq!(frames.len() as u64, events.len() as u64 - began.offset);
        for (frame, same) in frames.iter().zip(first_from(*began)) {
            assert_eq!(frame.position(), same.position());
            assert_eq!(websocket(frame).as_ptr(), websocket(same).as_ptr(), "encoded once");
        }
    }
    assert_eq!(hub.cursors(), 0);
}

/// Reads every event after `start` from the store, in pages.
async fn everything_after(store: &dyn EventLog, start: Position) -> Vec<Positioned<Event>> {
    let mut page = next_page(store, start).await.unwrap();
    let mut events = Vec::new();
    while !page.events.is_empty() {
        events.append(&mut page.events);
        page = next_page(store, page.next).await.unwrap();
    }
    events
}

/// Runs a future on a runtime and a `LocalSet` of this thread.
pub(crate) fn wait_for<T>(work: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        timeout(PATIENCE, work).await.expect("this thread finishes within 1 min")
    })
}

/// Appends until all readers have finished their rounds, never far ahead of the pump.
async fn write_along(hub: &Hub, store: &dyn EventLog, writer: usize, finished: &AtomicUsize) {
    for n in 0..MOST_APPENDS {
        if finished.load(Ordering::Relaxed) == WORKERS {
            return;
        }
        let batch = (0..=n % 3).map(|part| say(&format!("{writer}:{n}:{part}"))).collect();
        store.append(batch).await.unwrap();
        hub.caught_up().await;
    }
}

/// Runs cursors that stay to the end, together with short-lived cursors.
async fn read_along(
    hub: &Hub,
    store: &dyn EventLog,
    start: Position,
    finished: &AtomicUsize,
) -> Vec<Received> {
    /// Guard that counts this thread as finished, even after a panic.
    struct Rounds<'a>(&'a AtomicUsize);
    impl Drop for Rounds<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    let worker = hub.worker();
    let mut readers = JoinSet::new();
    for _ in 0..READERS_FROM_THE_START {
        readers.spawn_local(read_to_the_end(worker.cursor(start)));
    }
    let rounds = Rounds(finished);
    for round in 0..ROUNDS {
        come_and_go(&worker, store, round).await;
        if round.is_multiple_of(10) {
            readers.spawn_local(read_to_the_end(worker.cursor(worker.head())));
        }
    }
    drop(rounds);
    readers.join_all().await
}

async fn read_to_the_end(mut cursor: Cursor) -> Received {
    let began = cursor.position();
    let mut frames = Vec::new();
    loop {
        match next(&mut cursor).await {
            Step::Frame(frame) => {
                assert_eq!(frame.position(), began.advanced_by(frames.len() as u64 + 1));
                frames.push(frame);
            }
            Step::End(end) => {
                assert!(matches!(end, End::Drained { .. }), "{end:?}");
                return (began, frames);
            }
            Step::Notice(notice) => panic!("unrequested notice {notice:?}"),
        }
    }
}

/// Appends one event, creates a cursor at the head, takes a few events, and drops the cursor. In
/// every other round, the cursor may be waiting when it is dropped.
async fn come_and_go(worker: &Worker, store: &dyn EventLog, round: usize) {
    let answered = append(store, 1).await;
    let mut cursor = worker.cursor(worker.head());
    let began = cursor.position();
    assert!(began.offset >= answered, "a committed event is not returned again");
    for count in 1..=round as u64 % 5 {
        match next(&mut cursor).await {
            Step::Frame(frame) => assert_eq!(frame.position(), began.advanced_by(count)),
            step => panic!("{step:?} while other threads were writing"),
        }
    }
    if round.is_multiple_of(2) {
        let _may_wait = pin!(next(&mut cursor)).poll(&mut Context::from_waker(Waker::noop()));
    }
}

#[test]
fn a_cursor_at_the_head_returns_only_later_events() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        for n in 0..20 {
            let answered = append(running.store.as_ref(), 2).await;
            // Neither the pump nor the worker has received these two events yet.
            let mut cursor = running.worker.cursor(running.worker.head());
            assert_eq!(take_offsets(&mut cursor), (vec![], None));
            settled().await;
            assert_eq!(take_offsets(&mut cursor), (vec![], None));
            append(running.store.as_ref(), 1).await;
            append(running.store.as_ref(), 1).await;
            settled().await;
            assert_eq!(take_offsets(&mut cursor), (vec![answered + 1, answered + 2], None));
            assert_eq!(answered, n * 4 + 2);
        }
    });
}

#[test]
fn a_worker_created_while_the_log_grows_misses_no_event() {
    let store: Arc<dyn EventLog> = Arc::new(memory_store(10_000));
    let (hub, pump) = Hub::new(store.clone(), ROOMY, ENCODER);
    let stop = CancellationToken::new();
    thread::scope(|scope| {
        let _stopped_in_any_case = stop.clone().drop_guard();
        // This thread only polls the pump, and never sleeps.
        scope.spawn(|| {
            let mut pump = pin!(coop::unconstrained(pump.run(stop.clone())));
            while pump.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
                thread::yield_now();
            }
        });
        wait_for(async {
            for _ in 0..500 {
                let before = *store.head().borrow();
                append(store.as_ref(), 1).await;
                LocalSet::new().run_until(workers_around_one_event(&hub, before)).await;
            }
        });
    });
}

/// Creates workers one after the other until one finds the event after `before`, so that some
/// workers are created exactly while the event arrives. A worker that missed the event would never
/// be woken, because no other event follows.
async fn workers_around_one_event(hub: &Hub, before: Position) {
    let mut cursors = Vec::new();
    loop {
        let mut cursor = hub.worker().cursor(before);
        if take_offsets(&mut cursor).0 == [before.offset + 1] {
            break;
        }
        cursors.push(cursor);
        if cursors.len() > 30 {
            thread::yield_now();
        }
    }
    for mut cursor in cursors {
        assert!(matches!(next(&mut cursor).await, Step::Frame(_)));
    }
}
