//! Test data: an in-memory store, events to append, and functions that poll a cursor.

use crate::one_thread::settled;
use bytes::Bytes;
use northgate_domain::{Epoch, Event};
use northgate_hub::{Cursor, Encoder, End, Frame, Step, WindowLimits};
use northgate_storage::{Capacity, EventLog, MemoryStore, Submission};
use northgate_testkit::{ManualClock, raise_at, say};
use std::future::poll_fn;
use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Limits large enough for everything that a test appends.
pub(crate) const ROOMY: WindowLimits = WindowLimits { frames: 1_000_000, bytes: usize::MAX };

/// An encoder whose output differs for each event and grows with the text of the event.
pub(crate) const ENCODER: Encoder = Encoder {
    event: |event, out| {
        let text = match &event.value {
            Event::Alert(event) => event.alert.location.as_str(),
            Event::Chat(chat) => chat.message.as_str(),
        };
        write!(out, "{{\"offset\":{},\"text\":{text:?}}}", event.position.offset).unwrap();
    },
    position: |at, out| write!(out, "{}-{}", at.epoch.get(), at.offset).unwrap(),
};

/// More pauses than a cursor needs to read everything that a test appends.
pub(crate) const MOST_PAUSES: usize = 2_000;

/// Creates an empty store that retains the newest `events` events.
pub(crate) fn memory_store(events: usize) -> MemoryStore {
    let events = NonZeroUsize::new(events).unwrap();
    let capacity = Capacity { events, ..Capacity::default() };
    MemoryStore::new(Epoch::new(7), capacity, ManualClock::counting().meta())
}

pub(crate) fn alert(location: &str) -> Submission {
    raise_at(location, "Intruder detected")
}

/// Appends `count` events in one batch, and returns the offset of the last one.
pub(crate) async fn append(store: &dyn EventLog, count: usize) -> u64 {
    let outcomes = store.append(vec![say("What is happening?"); count]).await.unwrap();
    assert_eq!(outcomes.len(), count);
    store.head().borrow().offset
}

/// Waits for the cursor's next step.
pub(crate) async fn next(cursor: &mut Cursor) -> Step {
    poll_fn(|cx| cursor.poll_next(cx)).await
}

/// Takes frames from a cursor until the cursor waits (`None`) or ends. Panics if the cursor returns
/// a notice.
pub(crate) fn take(cursor: &mut Cursor) -> (Vec<Frame>, Option<End>) {
    take_with(cursor, Waker::noop())
}

/// Like [`take`], but the cursor wakes this waker.
pub(crate) fn take_with(cursor: &mut Cursor, waker: &Waker) -> (Vec<Frame>, Option<End>) {
    let mut frames = Vec::new();
    loop {
        match cursor.poll_next(&mut Context::from_waker(waker)) {
            Poll::Ready(Step::Frame(frame)) => {
                assert_eq!(
                    cursor.position(),
                    frame.position(),
                    "the cursor's position is the frame's"
                );
                frames.push(frame);
            }
            Poll::Ready(Step::Notice(notice)) => panic!("unrequested notice {notice:?}"),
            Poll::Ready(Step::End(end)) => return (frames, Some(end)),
            Poll::Pending => return (frames, None),
        }
        assert!(frames.len() <= 100_000, "the cursor never waits");
    }
}

/// Like [`take`], but returns only the offsets.
pub(crate) fn take_offsets(cursor: &mut Cursor) -> (Vec<u64>, Option<End>) {
    let (frames, end) = take(cursor);
    (offsets(&frames), end)
}

/// Takes offsets from a cursor until the cursor is no longer woken or ends. The cursor may wait
/// meanwhile, for example for a page.
pub(crate) async fn catch_up(cursor: &mut Cursor) -> (Vec<u64>, Option<End>) {
    let woken = Arc::new(Wakes::default());
    let waker = Waker::from(woken.clone());
    let mut given = Vec::new();
    for _ in 0..MOST_PAUSES {
        let (frames, end) = take_with(cursor, &waker);
        given.extend(offsets(&frames));
        settled().await;
        if end.is_some() || woken.taken() == 0 {
            return (given, end);
        }
    }
    panic!("the cursor never stops waking its connection");
}

pub(crate) fn offsets(frames: &[Frame]) -> Vec<u64> {
    frames.iter().map(|frame| frame.position().offset).collect()
}

/// Counts how often a cursor's connection is woken.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wakes {
    /// Returns the number of wakes since the last call.
    pub(crate) fn taken(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Returns the bytes that every WebSocket sends for the frame.
pub(crate) fn websocket(frame: &Frame) -> Bytes {
    frame.clone().into_websocket()
}

/// Returns the event's JSON.
pub(crate) fn json(frame: &Frame) -> Bytes {
    let record = frame.clone().into_event_stream();
    let end = record.windows(2).position(|two| two == b"\ni").unwrap();
    record.slice(..end)
}
