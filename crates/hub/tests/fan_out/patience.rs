//! Patience: how long a cursor behind the window may go without progress, because the store does
//! not return or the client does not read.

use crate::client::{Client, Seen, events};
use crate::faulty_log::{FaultyLog, Reads};
use crate::one_thread::{Running, on_one_thread};
use crate::sample::memory_store;
use northgate_hub::{End, WindowLimits};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, advance, sleep};

const TWO: WindowLimits = WindowLimits { frames: 2, bytes: usize::MAX };
const TOO_FAR_BEHIND: Seen = Seen::End(End::TooFarBehind);
/// Maximum time without progress, and the pause between reads of a store that cannot be read.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);
const NEARLY: Duration = Duration::from_secs(29);

/// Creates a hub with 500 events, of which the window retains two, and a client at the start.
async fn far_behind() -> (Arc<FaultyLog>, Running, Client) {
    let store = Arc::new(FaultyLog::new(memory_store(10_000)));
    let running = Running::over(store.clone(), TWO);
    running.append(500).await;
    running.hub.caught_up().await;
    let client = Client::new(running.cursor(0));
    store.asked();
    (store, running, client)
}

#[test]
fn a_hanging_store_ends_a_cursor_after_its_patience() {
    on_one_thread(async {
        let (store, _running, mut client) = far_behind().await;
        store.let_reads(Reads::Hang);
        let began = Instant::now();
        assert_eq!(client.next().await, TOO_FAR_BEHIND);
        assert!((PATIENCE..=PATIENCE + PAUSE * 2).contains(&began.elapsed()));
        assert_eq!(client.next().await, TOO_FAR_BEHIND);
        assert_eq!((store.asked(), store.under_way()), (1, 0));
    });
}

#[test]
fn an_unreadable_store_is_read_twice_a_second_while_patience_lasts() {
    // A store that returns no event although it has some is treated like a store that fails.
    for trouble in [Reads::Fail, Reads::Nothing] {
        on_one_thread(async {
            let (store, _running, mut client) = far_behind().await;
            store.let_reads(trouble);
            let began = Instant::now();
            assert_eq!(client.next().await, TOO_FAR_BEHIND);
            assert!((PATIENCE..=PATIENCE + PAUSE * 2).contains(&began.elapsed()));
            assert!((59..=61).contains(&store.asked()));
        });
    }
}

#[test]
fn no_event_is_lost_or_repeated_if_the_store_recovers_in_time() {
    for trouble in [Reads::Hang, Reads::Fail, Reads::Nothing] {
        on_one_thread(async {
            let (store, _running, mut client) = far_behind().await;
            let mut given = Vec::new();
            // Each page is progress, so the time without progress starts again at zero.
            for goal in (0..8).map(|page| page * 64 + 1) {
                store.let_reads(trouble);
                let recovering = async {
                    sleep(NEARLY).await;
                    store.let_reads(Reads::Pass);
                };
                let ((offsets, end), ()) = tokio::join!(client.events_up_to(goal), recovering);
                assert_eq!(end, None);
                given.extend(offsets);
            }
            given.extend(client.events_up_to(500).await.0);
            assert_eq!(given, (1..=500).collect::<Vec<_>>());
        });
    }
}

#[test]
fn a_cursor_holds_no_permit_between_retries() {
    on_one_thread(async {
        let (store, running, mut client) = far_behind().await;
        store.let_reads(Reads::Fail);
        let mut failing: Vec<_> = (0..32).map(|_| Client::new(running.cursor(0))).collect();
        for client in &mut failing {
            assert_eq!(client.see().await, []);
        }
        store.let_reads(Reads::Pass);
        assert_eq!(client.see().await.len(), 500);
    });
}

#[test]
fn a_client_that_stalls_within_a_page_is_too_far_behind() {
    on_one_thread(async {
        let (_, _running, mut client) = far_behind().await;
        assert_eq!(client.next().await, Seen::Event(1));
        advance(PATIENCE).await;
        assert_eq!(client.look(), Some(Seen::Event(2)));
        advance(PATIENCE + Duration::from_millis(1)).await;
        assert_eq!(client.take(), [TOO_FAR_BEHIND]);
        assert_eq!(client.take(), [TOO_FAR_BEHIND]);
    });
}

#[test]
fn a_slow_client_that_makes_progress_is_never_too_far_behind() {
    on_one_thread(async {
        let (_, _running, mut client) = far_behind().await;
        for offset in 1..=500 {
            assert_eq!(client.next().await, Seen::Event(offset));
            if offset % 5 == 0 {
                advance(NEARLY).await;
            }
        }
        assert_eq!(client.see().await, []);
    });
}

#[test]
fn a_client_in_the_window_may_pause_without_limit() {
    on_one_thread(async {
        let (_, running, mut client) = far_behind().await;
        assert_eq!(client.see().await.len(), 500);
        running.append(2).await;
        advance(PATIENCE * 100).await;
        assert_eq!(client.take(), events([501, 502]));
    });
}
