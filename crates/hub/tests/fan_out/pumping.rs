//! The pump over a store that cannot be read, that trims too early, or that never returns.

use crate::faulty_log::{FaultyLog, Reads};
use crate::one_thread::{Running, on_one_thread, settled};
use crate::sample::{ROOMY, append, catch_up, memory_store, take_offsets};
use northgate_hub::End;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::advance;

/// Longer than the pump's pause before it reads a failing store again, and shorter than two pauses.
const A_WHILE: Duration = Duration::from_millis(600);

/// Creates a hub over a store that can fail.
fn over_a_faulty_log() -> (Arc<FaultyLog>, Running) {
    let store = Arc::new(FaultyLog::new(memory_store(1_000)));
    (store.clone(), Running::over(store, ROOMY))
}

#[test]
fn events_that_cannot_be_read_for_a_while_are_not_lost() {
    on_one_thread(async {
        let (store, running) = over_a_faulty_log();
        let mut cursor = running.cursor(0);
        running.append(2).await;
        assert_eq!(take_offsets(&mut cursor), (vec![1, 2], None));
        store.let_reads(Reads::Fail);
        for _ in 0..5 {
            running.append(3).await;
            assert_eq!(take_offsets(&mut cursor), (vec![], None));
            advance(A_WHILE).await;
        }
        store.let_reads(Reads::Pass);
        running.hub.caught_up().await;
        settled().await;
        assert_eq!(take_offsets(&mut cursor), ((3..=17).collect(), None));
        running.append(1).await;
        assert_eq!(take_offsets(&mut cursor), (vec![18], None));
    });
}

#[test]
fn a_failing_store_is_read_again_after_a_pause() {
    on_one_thread(async {
        let (store, running) = over_a_faulty_log();
        settled().await;
        store.let_reads(Reads::Fail);
        store.asked();
        running.append(1).await;
        assert_eq!(store.asked(), 1);
        for _ in 0..10 {
            running.append(1).await;
            assert_eq!(store.asked(), 0, "no read before the pause is over");
            advance(A_WHILE).await;
            settled().await;
            assert_eq!(store.asked(), 1);
        }
    });
}

#[test]
fn the_frame_log_restarts_if_the_store_trims_unread_events() {
    on_one_thread(async {
        let running = Running::over(Arc::new(memory_store(4)), ROOMY);
        let (mut at_start, mut parked) = (running.cursor(0), running.cursor(0));
        running.append(2).await;
        assert_eq!(take_offsets(&mut parked), (vec![1, 2], None));
        append(running.store.as_ref(), 10).await;
        let mut at_head = running.worker.cursor(running.worker.head());
        assert_eq!(take_offsets(&mut at_head), (vec![], None));
        running.hub.caught_up().await;
        settled().await;

        for trimmed in [&mut at_start, &mut parked, &mut running.cursor(7)] {
            assert_eq!(catch_up(trimmed).await, (vec![], Some(End::TooFarBehind)));
        }
        assert_eq!(catch_up(&mut running.cursor(8)).await, (vec![9, 10, 11, 12], None));
        assert_eq!(take_offsets(&mut at_head), (vec![], None));
        running.append(3).await;
        let late = running.hub.worker();
        let mut late = [late.cursor(running.position(12)), running.cursor(12)];
        for continuing in [&mut at_head].into_iter().chain(&mut late) {
            assert_eq!(take_offsets(continuing), (vec![13, 14, 15], None));
        }
        assert_eq!(take_offsets(&mut at_start), (vec![], Some(End::TooFarBehind)));
    });
}

/// Cancels the pump, and asserts that the pump then ends.
async fn ends_when_cancelled(mut running: Running) {
    settled().await;
    assert!(running.pump.try_join_next().is_none(), "the pump runs until it is cancelled");
    running.stop.cancel();
    running.pump.join_next().await.unwrap().unwrap();
}

#[test]
fn the_pump_stops_while_it_waits_for_events() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        running.append(1).await;
        ends_when_cancelled(running).await;
    });
}

#[test]
fn the_pump_stops_during_the_pause_before_a_retry() {
    on_one_thread(async {
        let (store, running) = over_a_faulty_log();
        store.let_reads(Reads::Fail);
        running.append(1).await;
        let before = tokio::time::Instant::now();
        ends_when_cancelled(running).await;
        assert_eq!(before.elapsed(), Duration::ZERO, "the pump does not finish its pause");
    });
}

#[test]
fn the_pump_stops_while_the_store_hangs() {
    on_one_thread(async {
        let (store, running) = over_a_faulty_log();
        store.let_reads(Reads::Hang);
        running.append(1).await;
        ends_when_cancelled(running).await;
    });
}
