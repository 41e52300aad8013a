//! Draining: each cursor returns everything up to the head and then ends, and a slow cursor delays
//! no other cursor.

use crate::one_thread::{Running, on_one_thread, settled};
use crate::sample::{ROOMY, Wakes, append, catch_up, memory_store, take_offsets, take_with};
use northgate_hub::{End, WindowLimits};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// A window that retains only two frames.
const TWO: WindowLimits = WindowLimits { frames: 2, bytes: usize::MAX };

/// Result of a cursor that returns these offsets and drains after `turn` other cursors.
fn drained(given: impl IntoIterator<Item = u64>, turn: u64) -> (Vec<u64>, Option<End>) {
    (given.into_iter().collect(), Some(End::Drained { turn }))
}

#[test]
fn a_draining_cursor_returns_everything_up_to_the_head_and_ends() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let (mut at_start, mut halfway) = (running.cursor(0), running.cursor(300));
        append(running.store.as_ref(), 600).await;
        let mut at_head = running.worker.cursor(running.worker.head());
        running.hub.caught_up().await;
        running.hub.drain();
        settled().await;
        assert_eq!(take_offsets(&mut at_start), drained(1..=600, 0));
        assert_eq!(take_offsets(&mut halfway), drained(301..=600, 1));
        assert_eq!(take_offsets(&mut at_head), drained([], 2));
        for (turn, cursor) in [&mut at_start, &mut halfway, &mut at_head].into_iter().enumerate() {
            settled().await;
            assert_eq!(take_offsets(cursor), drained([], turn as u64));
            assert_eq!(take_offsets(cursor), drained([], turn as u64));
        }
        assert_eq!(take_offsets(&mut running.cursor(599)), drained([600], 3));
    });
}

#[test]
fn a_hub_has_caught_up_only_when_its_pump_has_read_all_events() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        running.hub.caught_up().await;
        for count in [1, 300, 1_000] {
            let head = append(running.store.as_ref(), count).await;
            let mut caught_up = pin!(running.hub.caught_up());
            let polled = caught_up.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
            caught_up.await;
            let newcomer = running.hub.worker();
            let (_, end) = take_offsets(&mut newcomer.cursor(running.position(0)));
            assert_eq!(end, None);
            let mut last = newcomer.cursor(running.position(head - 1));
            assert_eq!(take_offsets(&mut last), (vec![head], None));
        }
    });
}

#[test]
fn a_worker_created_while_draining_drains_too() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        running.append(2).await;
        running.hub.drain();
        let late = running.hub.worker();
        let mut cursor = late.cursor(running.position(1));
        assert_eq!(take_offsets(&mut cursor), drained([2], 0));
    });
}

#[test]
fn parked_cursors_are_woken_to_end() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let woken = Arc::new(Wakes::default());
        let waker = Waker::from(woken.clone());
        let mut parked = running.cursor(0);
        assert!(matches!(take_with(&mut parked, &waker), (_, None)));
        running.hub.drain();
        settled().await;
        assert_eq!(woken.taken(), 1);
        assert_eq!(take_offsets(&mut parked), drained([], 0));

        let running = Running::new(ROOMY);
        let mut cut = running.cursor(0);
        assert!(matches!(take_with(&mut cut, &waker), (_, None)));
        running.hub.end();
        settled().await;
        assert_eq!(woken.taken(), 1);
        assert_eq!(take_offsets(&mut cut), (vec![], Some(End::Cut)));
    });
}

#[test]
fn a_draining_cursor_that_is_not_polled_delays_no_other() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let (mut quick, mut idle) = (running.cursor(0), running.cursor(0));
        running.append(4).await;
        running.hub.drain();
        settled().await;
        assert_eq!(take_offsets(&mut quick), drained(1..=4, 0));
        assert_eq!(take_offsets(&mut idle), drained(1..=4, 1));
    });
}

#[test]
fn a_draining_cursor_behind_the_window_returns_everything_too() {
    on_one_thread(async {
        let running = Running::new(TWO);
        let mut behind = running.cursor(0);
        running.append(700).await;
        running.hub.drain();
        settled().await;
        assert_eq!(catch_up(&mut behind).await, drained(1..=700, 0));
    });
}

#[test]
fn a_cursor_that_is_too_far_behind_does_not_count_as_drained() {
    on_one_thread(async {
        let running = Running::over(Arc::new(memory_store(2)), TWO);
        let mut behind = running.cursor(0);
        running.append(3).await;
        running.hub.drain();
        settled().await;
        assert_eq!(catch_up(&mut behind).await, (vec![], Some(End::TooFarBehind)));
        assert_eq!(catch_up(&mut running.cursor(1)).await, drained([2, 3], 0), "the first turn");
    });
}

#[test]
fn waiting_for_cursors_ends_when_the_last_one_is_dropped() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let cursors = [running.cursor(0), running.cursor(0), running.cursor(0)];
        running.hub.drain();
        settled().await;
        let woken = Arc::new(Wakes::default());
        let waker = Waker::from(woken.clone());
        let mut gone = pin!(running.hub.cursors_gone());
        let mut is_gone =
            || gone.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Ready(());
        let mut left = cursors.len();
        for (turn, mut cursor) in cursors.into_iter().enumerate() {
            assert_eq!(take_offsets(&mut cursor), drained([], turn as u64));
            assert!(!is_gone(), "a cursor that has ended still counts until it is dropped");
            assert_eq!(running.hub.cursors(), left);
            assert_eq!(woken.taken(), 0);
            drop(cursor);
            left -= 1;
        }
        assert_eq!(woken.taken(), 1);
        assert!(is_gone());
        assert_eq!(running.hub.cursors(), 0);
    });
}

#[test]
fn an_unfinished_cursor_is_cut_when_the_hub_ends() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut unfinished = running.cursor(0);
        running.append(3).await;
        running.hub.drain();
        running.hub.end();
        settled().await;
        for cursor in [&mut unfinished, &mut running.cursor(3), &mut running.cursor(0)] {
            for _ in 0..3 {
                assert_eq!(take_offsets(cursor), (vec![], Some(End::Cut)));
            }
        }
        let late = running.hub.worker();
        let mut newcomer = late.cursor(late.head());
        assert_eq!(take_offsets(&mut newcomer), (vec![], Some(End::Cut)));
    });
}

#[test]
fn workers_end_when_the_hub_stops_them() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut cursor = running.cursor(0);
        running.append(1).await;
        running.hub.stop_workers().await;
        running.append(1).await;
        assert_eq!(take_offsets(&mut cursor), (vec![1], None), "no worker updates the window");
    });
}

#[test]
fn a_draining_cursor_returns_no_event_appended_after_the_drain() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let [mut ended, mut on_its_way] = [running.cursor(0), running.cursor(0)];
        running.append(3).await;
        running.hub.drain();
        settled().await;
        assert_eq!(take_offsets(&mut ended), drained(1..=3, 0));
        running.append(2).await;
        assert_eq!(take_offsets(&mut ended), drained([], 0));
        assert_eq!(take_offsets(&mut on_its_way), drained(1..=3, 1));
    });
}

#[test]
fn the_end_of_a_cursor_never_changes() {
    on_one_thread(async {
        let running = Running::over(Arc::new(memory_store(2)), TWO);
        let (mut behind, mut at_head) = (running.cursor(0), running.cursor(3));
        running.append(3).await;
        running.hub.drain();
        settled().await;
        assert_eq!(catch_up(&mut behind).await, (vec![], Some(End::TooFarBehind)));
        assert_eq!(take_offsets(&mut at_head), drained([], 0));
        running.hub.end();
        settled().await;
        assert_eq!(take_offsets(&mut behind), (vec![], Some(End::TooFarBehind)));
        assert_eq!(take_offsets(&mut at_head), drained([], 0));
    });
}
