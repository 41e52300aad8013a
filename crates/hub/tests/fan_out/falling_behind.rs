//! A cursor that is not polled delays no other cursor, and memory stays within the window's limits.

use crate::faulty_log::FaultyLog;
use crate::one_thread::{Running, on_one_thread};
use crate::sample::{ROOMY, append, catch_up, memory_store, take, take_offsets};
use bytes::Bytes;
use northgate_domain::{Epoch, Position};
use northgate_hub::{End, Frame, WindowLimits};
use std::sync::Arc;

const EIGHT: WindowLimits = WindowLimits { frames: 8, bytes: usize::MAX };

/// Returns the number of these buffers that have another owner.
fn retained(frames: &[Bytes]) -> usize {
    frames.iter().filter(|frame| !frame.is_unique()).count()
}

#[test]
fn a_cursor_that_is_not_polled_delays_no_other() {
    on_one_thread(async {
        let running = Running::new(EIGHT);
        let mut sleepers = [running.cursor(0), running.cursor(0)];
        let mut parked = running.cursor(0);
        assert_eq!(take_offsets(&mut parked), (vec![], None));
        let mut quick = running.cursor(0);
        for offset in 1..=50 {
            running.append(1).await;
            assert_eq!(take_offsets(&mut quick), (vec![offset], None));
        }
        for behind in sleepers.iter_mut().chain([&mut parked]) {
            assert_eq!(behind.position().offset, 0);
            assert_eq!(catch_up(behind).await, ((1..=50).collect(), None));
        }
        running.append(1).await;
        for cursor in sleepers.iter_mut().chain([&mut parked, &mut quick]) {
            assert_eq!(take_offsets(cursor), (vec![51], None));
        }
    });
}

#[test]
fn a_cursor_reads_the_store_only_after_its_next_event_left_the_window() {
    on_one_thread(async {
        let store = Arc::new(FaultyLog::new(memory_store(1_000)));
        let running = Running::over(store.clone(), EIGHT);
        let [mut in_time, mut late] = [running.cursor(0), running.cursor(0)];
        running.append(8).await;
        store.asked();
        assert_eq!(take_offsets(&mut in_time), ((1..=8).collect(), None));
        assert_eq!(store.asked(), 0);
        running.append(1).await;
        store.asked();
        assert_eq!(take_offsets(&mut in_time), (vec![9], None));
        assert_eq!(take_offsets(&mut running.cursor(1)), ((2..=9).collect(), None));
        assert_eq!(store.asked(), 0);
        assert_eq!(catch_up(&mut late).await, ((1..=9).collect(), None));
        assert_eq!(store.asked(), 1);
    });
}

#[test]
fn a_cursor_is_too_far_behind_only_once_its_next_event_was_trimmed() {
    on_one_thread(async {
        let running = Running::over(Arc::new(memory_store(20)), EIGHT);
        let [mut in_time, mut late] = [running.cursor(0), running.cursor(0)];
        running.append(20).await;
        assert_eq!(catch_up(&mut in_time).await, ((1..=20).collect(), None));
        append(running.store.as_ref(), 1).await;
        for _ in 0..3 {
            assert_eq!(catch_up(&mut late).await, (vec![], Some(End::TooFarBehind)));
        }
        assert_eq!(late.position().offset, 0);
        assert_eq!(catch_up(&mut running.cursor(1)).await, ((2..=21).collect(), None));
        assert_eq!(take_offsets(&mut in_time), (vec![21], None));
    });
}

#[test]
fn the_window_retains_the_newest_events_of_a_larger_batch() {
    on_one_thread(async {
        let running = Running::new(EIGHT);
        let mut behind = running.cursor(0);
        running.append(3).await;
        running.append(700).await;
        assert_eq!(take_offsets(&mut running.cursor(695)), ((696..=703).collect(), None));
        assert_eq!(take_offsets(&mut running.cursor(694)), (vec![], None), "the store is read");
        assert_eq!(catch_up(&mut behind).await, ((1..=703).collect(), None));
    });
}

#[test]
fn a_window_bounded_by_bytes_retains_what_fits() {
    on_one_thread(async {
        let limit = 2_000;
        let running = Running::new(WindowLimits { frames: usize::MAX, bytes: limit });
        let [mut quick, mut behind] = [running.cursor(0), running.cursor(0)];
        let mut sizes = Vec::new();
        for _ in 0..60 {
            running.append(1).await;
            sizes.extend(take(&mut quick).0.iter().map(Frame::held_bytes));
        }
        let fitting = (0..60).rev().find(|&from| sizes[from..].iter().sum::<usize>() > limit);
        let oldest_readable = fitting.unwrap() as u64 + 1;
        assert!((2..58).contains(&oldest_readable), "several frames fit, but not all");
        for offset in 0..60 {
            let (immediate, end) = take_offsets(&mut running.cursor(offset));
            let retained = if offset < oldest_readable { 60..60 } else { offset..60 };
            assert_eq!((immediate.len(), end), (retained.count(), None), "after {offset}");
        }
        assert_eq!(catch_up(&mut behind).await, ((1..=60).collect(), None));
    });
}

#[test]
fn frames_that_left_the_window_are_freed_even_if_unread() {
    on_one_thread(async {
        let running = Running::new(EIGHT);
        let other = running.hub.worker();
        let behind: Vec<_> = (0..20).map(|_| running.cursor(0)).collect();
        let mut elsewhere = other.cursor(running.position(0));
        let mut quick = running.cursor(0);
        let mut all = Vec::new();
        for count in 1..=100 {
            running.append(1).await;
            all.extend(take(&mut quick).0.into_iter().map(Frame::into_websocket));
            assert_eq!((all.len(), retained(&all)), (count, count.min(8)));
        }
        assert!(retained(&all[92..]) == 8, "the newest frames are retained");
        assert_eq!(catch_up(&mut elsewhere).await, ((1..=100).collect(), None));
        drop(behind);
        assert_eq!(retained(&all), 8);
    });
}

#[test]
fn a_large_window_is_returned_without_a_pause() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut behind = running.cursor(0);
        for _ in 0..10 {
            running.append(300).await;
        }
        assert_eq!(take_offsets(&mut behind), ((1..=3_000).collect(), None));
    });
}

#[test]
fn a_cursor_of_another_log_is_too_far_behind_at_any_offset() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        running.append(3).await;
        for offset in [1, 3, 9] {
            let foreign = Position { epoch: Epoch::new(8), offset };
            let mut cursor = running.worker.cursor(foreign);
            assert_eq!(catch_up(&mut cursor).await, (vec![], Some(End::TooFarBehind)));
        }
    });
}
