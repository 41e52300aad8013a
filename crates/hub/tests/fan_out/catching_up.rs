//! Catching up: a cursor far behind reads pages of the store until it reaches the window, and no
//! event is lost or repeated.

use crate::client::{after, alerts};
use crate::faulty_log::{FaultyLog, Reads};
use crate::one_thread::{Running, on_one_thread, settled};
use crate::sample::{
    Wakes, append, catch_up, json, memory_store, offsets, take, take_with, websocket,
};
use northgate_hub::{Cursor, End, Frame, Step, WindowLimits};
use northgate_testkit::say;
use proptest::prelude::*;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

const EIGHT: WindowLimits = WindowLimits { frames: 8, bytes: usize::MAX };
/// Limits of a page: number of events, and bytes after which no further frame is added.
const FRAMES_PER_PAGE: usize = 64;
const PAGE_BYTES: usize = 64 * 1024;

/// Takes the frames that a cursor returns before it waits for the next page, and lets that page
/// arrive.
async fn page(cursor: &mut Cursor) -> Vec<Frame> {
    let woken = Arc::new(Wakes::default());
    let (frames, end) = take_with(cursor, &Waker::from(woken.clone()));
    assert_eq!((end, woken.taken()), (None, 0), "a cursor waits after each page");
    settled().await;
    assert_eq!(woken.taken(), 1);
    frames
}

#[test]
fn a_cursor_far_behind_reaches_the_window() {
    on_one_thread(async {
        let running = Running::new(EIGHT);
        let mut live = running.cursor(0);
        running.append(1_000).await;
        let mut behind = running.cursor(0);
        assert_eq!(catch_up(&mut behind).await, ((1..=1_000).collect(), None));
        catch_up(&mut live).await;
        running.append(3).await;
        let (shared, own) = (take(&mut live).0, take(&mut behind).0);
        assert_eq!(
            (offsets(&shared), offsets(&own)),
            (vec![1_001, 1_002, 1_003], vec![1_001, 1_002, 1_003])
        );
        for (one, other) in shared.iter().zip(&own) {
            assert_eq!(websocket(one).as_ptr(), websocket(other).as_ptr(), "the buffer is shared");
        }
    });
}

#[test]
fn frames_from_the_store_equal_frames_from_the_window() {
    on_one_thread(async {
        let running = Running::new(EIGHT);
        let mut live = running.cursor(0);
        let mut from_window = Vec::new();
        for _ in 0..20 {
            running.append(1).await;
            from_window.extend(take(&mut live).0);
        }
        let mut behind = running.cursor(0);
        page(&mut behind).await;
        let from_store = take(&mut behind).0;
        assert_eq!(from_store.len(), from_window.len());
        for (one, other) in from_store.iter().zip(&from_window) {
            assert_eq!(websocket(one), websocket(other));
            assert_eq!((json(one), one.position()), (json(other), other.position()));
        }
    });
}

#[test]
fn a_cursor_reads_one_page_at_a_time() {
    on_one_thread(async {
        let store = Arc::new(FaultyLog::new(memory_store(10_000)));
        let running = Running::over(store.clone(), EIGHT);
        running.append(600).await;
        let mut cursor = running.cursor(0);
        store.asked();
        assert!(page(&mut cursor).await.is_empty());
        assert_eq!(store.asked(), 1);
        for _ in 0..9 {
            assert_eq!(page(&mut cursor).await.len(), FRAMES_PER_PAGE);
            assert_eq!(store.asked(), 1);
        }
        assert_eq!(take(&mut cursor).0.len(), 600 - 9 * FRAMES_PER_PAGE);
        assert_eq!(store.asked(), 0);
    });
}

#[test]
fn a_page_without_a_match_counts_as_a_page() {
    on_one_thread(async {
        let store = Arc::new(FaultyLog::new(memory_store(10_000)));
        let running = Running::over(store.clone(), EIGHT);
        running.append(600).await;
        store.asked();
        let mut client = running.client(alerts(after(0)));
        // The first page is read to find the start of the stream.
        assert_eq!(client.take(), []);
        for turn in 0..4 {
            settled().await;
            assert!(client.is_woken());
            assert_eq!(store.asked(), 1);
            assert_eq!(client.take().len(), usize::from(turn == 0));
        }
    });
}

#[test]
fn a_page_ends_with_the_frame_that_reaches_its_byte_limit() {
    on_one_thread(async {
        for (text, count) in
            [("é".repeat(4_096), 60), ("\"".repeat(4_096), 60), ("x".repeat(1_000), 600)]
        {
            let running = Running::new(EIGHT);
            for _ in 0..count {
                running.store.append(vec![say(&text)]).await.unwrap();
            }
            settled().await;
            running.hub.caught_up().await;
            let mut cursor = running.cursor(0);
            page(&mut cursor).await;
            for _ in 0..5 {
                let frames = page(&mut cursor).await;
                let sizes = frames.iter().map(Frame::held_bytes);
                let (all, last) = (sizes.clone().sum::<usize>(), sizes.last().unwrap());
                assert!(all >= PAGE_BYTES && all - last < PAGE_BYTES, "{all} with {last}");
            }
        }
    });
}

#[test]
fn a_page_already_read_is_returned_even_if_trimmed_since() {
    on_one_thread(async {
        let running = Running::over(Arc::new(memory_store(200)), EIGHT);
        running.append(200).await;
        let mut cursor = running.cursor(0);
        page(&mut cursor).await;
        let mut frames = take_one(&mut cursor);
        running.append(100).await;
        running.append(100).await;
        // The page ended at offset 64, and the store has trimmed the next events.
        let (rest, end) = catch_up(&mut cursor).await;
        frames.extend(rest);
        assert_eq!(frames, (1..=64).collect::<Vec<_>>());
        assert_eq!(end, Some(End::TooFarBehind));
    });
}

/// Takes the next frame, which must be available, and returns its offset.
fn take_one(cursor: &mut Cursor) -> Vec<u64> {
    match cursor.poll_next(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Step::Frame(frame)) => offsets(&[frame]),
        other => panic!("{other:?}"),
    }
}

#[derive(Debug, Clone)]
enum Act {
    /// Appends `count` texts of this length in one batch.
    Append { count: usize, length: usize },
    /// Lets all tasks run until they wait.
    Settle,
    /// Creates a cursor at this percentage of the log.
    Come(u64),
    /// Polls a cursor `times` times.
    Take { cursor: usize, times: usize },
    /// Sets the behaviour of store reads from now on.
    Reads(Reads),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (1_usize..400, prop_oneof![5 => 1_usize..30, 1 => 1_000_usize..4_000])
            .prop_map(|(count, length)| Act::Append { count, length }),
        4 => Just(Act::Settle),
        2 => (0_u64..=100).prop_map(Act::Come),
        6 => (0_usize..5, 1_usize..200).prop_map(|(cursor, times)| Act::Take { cursor, times }),
        1 => prop_oneof![Just(Reads::Pass), Just(Reads::Hang), Just(Reads::Dawdle)].prop_map(Act::Reads),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn a_cursor_from_any_position_returns_each_event_once_in_order(
        frames in 0_usize..40,
        acts in prop::collection::vec(act(), 1..40),
    ) {
        on_one_thread(async {
            let store = Arc::new(FaultyLog::new(memory_store(1_000_000)));
            let running = Running::over(store.clone(), WindowLimits { frames, bytes: usize::MAX });
            let mut readers: Vec<(u64, Cursor)> = vec![(0, running.cursor(0))];
            for act in acts {
                match act {
                    Act::Append { count, length } => {
                        let texts = vec![say(&"x".repeat(length)); count];
                        running.store.append(texts).await.unwrap();
                    }
                    Act::Settle => settled().await,
                    Act::Come(percent) => {
                        let after = running.worker.head().offset * percent / 100;
                        readers.push((after, running.cursor(after)));
                    }
                    Act::Take { cursor, times } => {
                        let at = cursor % readers.len();
                        poll_times(&mut readers[at], times);
                    }
                    Act::Reads(reads) => store.let_reads(reads),
                }
            }
            store.let_reads(Reads::Pass);
            running.hub.caught_up().await;
            settled().await;
            let head = running.worker.head().offset;
            for (after, cursor) in &mut readers {
                let rest = catch_up(cursor).await;
                assert_eq!(rest, ((*after + 1..=head).collect(), None));
            }
            append(running.store.as_ref(), 1).await;
            settled().await;
            for (_, cursor) in &mut readers {
                assert_eq!(offsets(&take(cursor).0), [head + 1], "all cursors are in the window");
            }
        });
    }
}

/// Polls a cursor `times` times, and checks that its events are consecutive.
fn poll_times((after, cursor): &mut (u64, Cursor), times: usize) {
    for _ in 0..times {
        match cursor.poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Step::Frame(frame)) => {
                assert_eq!(frame.position().offset, *after + 1);
                *after += 1;
            }
            Poll::Ready(step) => panic!("{step:?}"),
            Poll::Pending => {}
        }
    }
}
