//! The end: everything up to the head, then the end for ever, and nobody waits for a slow one.

use crate::one_thread::{Running, on_one_thread, settled};
use crate::sample::{ROOMY, Wakes, append, take_offsets, take_with};
use northgate_hub::{End, WindowLimits};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

const DRAINED: (Vec<u64>, Option<End>) = (vec![], Some(End::Drained { turn: 0 }));

#[test]
fn a_draining_cursor_gives_everything_up_to_the_head_and_then_ends_for_ever() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let (mut at_start, mut halfway) = (running.cursor(0), running.cursor(300));
        append(running.store.as_ref(), 600).await;
        let mut at_head = running.worker.cursor(running.worker.head());
        running.hub.caught_up().await;
        running.hub.drain();
        settled().await;
        assert_eq!(
            take_offsets(&mut at_start),
            ((1..=600).collect(), Some(End::Drained { turn: 0 }))
        );
        assert_eq!(
            take_offsets(&mut halfway),
            ((301..=600).collect(), Some(End::Drained { turn: 0 }))
        );
        assert_eq!(take_offsets(&mut at_head), DRAINED);
        for cursor in [&mut at_start, &mut halfway, &mut at_head] {
            settled().await;
            assert_eq!(take_offsets(cursor), DRAINED);
            assert_eq!(take_offsets(cursor), DRAINED);
        }
        assert_eq!(
            take_offsets(&mut running.cursor(599)),
            (vec![600], Some(End::Drained { turn: 0 }))
        );
    });
}

#[test]
fn a_hub_has_caught_up_only_once_the_pump_has() {
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
fn a_worker_that_comes_late_drains_too() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        running.append(2).await;
        running.hub.drain();
        let late = running.hub.worker();
        let mut cursor = late.cursor(running.position(1));
        assert_eq!(take_offsets(&mut cursor), (vec![2], Some(End::Drained { turn: 0 })));
    });
}

#[test]
fn parked_cursors_are_woken_to_end() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let woken = Arc::new(Wakes::default());
        let waker = Waker::from(woken.clone());
        let mut drained = running.cursor(0);
        assert!(matches!(take_with(&mut drained, &waker), (_, None)));
        running.hub.drain();
        settled().await;
        assert_eq!(woken.taken(), 1);
        assert_eq!(take_offsets(&mut drained), DRAINED);

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
fn a_cursor_that_is_not_polled_holds_no_other() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let (mut quick, mut idle) = (running.cursor(0), running.cursor(0));
        running.append(4).await;
        running.hub.drain();
        settled().await;
        assert_eq!(take_offsets(&mut quick), (vec![1, 2, 3, 4], Some(End::Drained { turn: 0 })));
        assert_eq!(take_offsets(&mut idle), (vec![1, 2, 3, 4], Some(End::Drained { turn: 0 })));
    });
}

#[test]
fn a_cursor_that_was_too_far_behind_is_not_drained() {
    on_one_thread(async {
        let running = Running::new(WindowLimits { frames: 2, bytes: usize::MAX });
        let mut behind = running.cursor(0);
        running.append(3).await;
        running.hub.drain();
        settled().await;
        assert_eq!(take_offsets(&mut behind), (vec![], Some(End::TooFarBehind)));
    });
}

#[test]
fn cursors_are_gone_when_the_last_one_is_dropped() {
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
        for mut cursor in cursors {
            assert_eq!(take_offsets(&mut cursor), DRAINED);
            assert!(!is_gone(), "a cursor that has ended is still there");
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
fn an_unfinished_cursor_is_cut_at_the_end() {
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
fn workers_end_when_they_are_told_to() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut cursor = running.cursor(0);
        running.append(1).await;
        running.hub.stop_workers().await;
        running.append(1).await;
        assert_eq!(take_offsets(&mut cursor), (vec![1], None), "nobody follows the log any more");
    });
}

#[test]
fn a_draining_cursor_ends_where_the_log_stood_whatever_comes_later() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let [mut ended, mut on_its_way] = [running.cursor(0), running.cursor(0)];
        running.append(3).await;
        running.hub.drain();
        settled().await;
        assert_eq!(take_offsets(&mut ended), (vec![1, 2, 3], Some(End::Drained { turn: 0 })));
        running.append(2).await;
        assert_eq!(take_offsets(&mut ended), DRAINED);
        assert_eq!(take_offsets(&mut on_its_way), (vec![1, 2, 3], Some(End::Drained { turn: 0 })));
    });
}

#[test]
fn an_end_does_not_change() {
    on_one_thread(async {
        let running = Running::new(WindowLimits { frames: 2, bytes: usize::MAX });
        let (mut behind, mut at_head) = (running.cursor(0), running.cursor(3));
        running.append(3).await;
        running.hub.drain();
        settled().await;
        assert_eq!(take_offsets(&mut behind), (vec![], Some(End::TooFarBehind)));
        assert_eq!(take_offsets(&mut at_head), DRAINED);
        running.hub.end();
        settled().await;
        assert_eq!(take_offsets(&mut behind), (vec![], Some(End::TooFarBehind)));
        assert_eq!(take_offsets(&mut at_head), DRAINED);
    });
}
