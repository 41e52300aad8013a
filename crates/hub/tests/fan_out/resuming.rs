//! A stream that starts after a position returns every later event, or reports a gap.

use crate::client::{Client, Seen, after, events, from, last};
use crate::faulty_log::{FaultyLog, Reads};
use crate::one_thread::{Running, on_one_thread, settled};
use crate::sample::memory_store;
use crate::wanted::filter;
use northgate_domain::{Epoch, EventType, Position, StartFrom, Subscription};
use northgate_hub::{End, WindowLimits};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const EIGHT: WindowLimits = WindowLimits { frames: 8, bytes: usize::MAX };

/// Creates a hub with 300 events, of which the window retains 8 and the store retains `retained`.
async fn after_300(retained: usize) -> (Arc<FaultyLog>, Running) {
    let store = Arc::new(FaultyLog::new(memory_store(retained)));
    let running = Running::over(store.clone(), EIGHT);
    for _ in 0..30 {
        running.append(10).await;
    }
    store.asked();
    (store, running)
}

/// The steps of a client that resumes after `from` and misses no event up to the head.
fn resumed(from: u64, head: u64) -> Vec<Seen> {
    [vec![Seen::Resumed(from)], events(from + 1..=head), vec![Seen::Live(head)]].concat()
}

#[test]
fn a_resume_within_the_window_does_not_read_the_store() {
    on_one_thread(async {
        let (store, running) = after_300(10_000).await;
        for from in 292..=300 {
            assert_eq!(running.client(after(from)).take(), resumed(from, 300));
        }
        assert_eq!(store.asked(), 0);
    });
}

#[test]
fn a_resume_behind_the_window_reads_the_store() {
    on_one_thread(async {
        let (store, running) = after_300(200).await;
        // Pages end at 192 and 256, and at the head.
        for (from, pages) in [(100, 3), (101, 3), (250, 1), (291, 1)] {
            store.asked();
            assert_eq!(running.client(after(from)).see().await, resumed(from, 300));
            assert_eq!(store.asked(), pages, "after {from}");
            // The cached pages expire, so that the next client reads the store itself.
            tokio::time::advance(Duration::from_secs(10)).await;
        }
    });
}

#[test]
fn a_resumed_stream_continues_live() {
    on_one_thread(async {
        let (_, running) = after_300(10_000).await;
        let mut clients = [0, 150, 295, 300].map(|from| running.client(after(from)));
        for client in &mut clients {
            client.see().await;
        }
        running.append(2).await;
        for client in &mut clients {
            assert_eq!(client.take(), events([301, 302]));
        }
    });
}

#[test]
fn events_appended_during_a_resume_are_part_of_the_stream() {
    on_one_thread(async {
        let (store, running) = after_300(10_000).await;
        let mut client = running.client(after(10));
        store.let_reads(Reads::Hang);
        assert_eq!(client.see().await, []);
        running.append(40).await;
        store.let_reads(Reads::Pass);
        assert_eq!(client.see().await, resumed(10, 340));
    });
}

/// Asserts that this subscription receives a gap, and then new events.
async fn is_a_gap(running: &Running, subscription: Subscription, oldest: u64) {
    let mut client = running.client(subscription.clone());
    let head = running.worker.head().offset;
    assert_eq!(client.see().await, [Seen::Gap { position: head, oldest }, Seen::Live(head)]);
    running.append(2).await;
    assert_eq!(client.take(), events([head + 1, head + 2]), "{subscription:?}");
}

#[test]
fn resuming_before_the_oldest_event_is_a_gap() {
    on_one_thread(async {
        let (_, running) = after_300(200).await;
        is_a_gap(&running, after(99), 100).await;
        is_a_gap(&running, after(101), 102).await;
        is_a_gap(&running, after(0), 104).await;
    });
}

#[test]
fn a_position_of_another_log_is_a_gap() {
    on_one_thread(async {
        let (_, running) = after_300(200).await;
        for offset in [0, 250, 296, 300, 302, 999] {
            let oldest = running.worker.head().offset - 200;
            is_a_gap(
                &running,
                from(StartFrom::After(Position { epoch: Epoch::new(8), offset })),
                oldest,
            )
            .await;
        }
    });
}

#[test]
fn a_position_beyond_the_head_is_a_gap() {
    on_one_thread(async {
        let (_, running) = after_300(10_000).await;
        is_a_gap(&running, after(301), 0).await;
        is_a_gap(&running, after(u64::MAX), 0).await;
    });
}

#[test]
fn a_position_that_the_pump_has_not_reached_is_not_a_gap() {
    on_one_thread(async {
        let (_, running) = after_300(10_000).await;
        crate::sample::append(running.store.as_ref(), 5).await;
        let mut clients = [303, 305].map(|from| running.client(after(from)));
        assert_eq!(clients[0].look(), Some(Seen::Resumed(303)));
        assert_eq!(clients[1].look(), Some(Seen::Resumed(305)));
        running.append(1).await;
        let given: Vec<_> = clients.iter_mut().map(Client::take).collect();
        assert_eq!(given[0][..3], events(304..=306));
        assert_eq!(given[1][0], Seen::Event(306));
    });
}

#[test]
fn a_stream_does_not_start_if_the_store_cannot_be_read() {
    on_one_thread(async {
        let (store, running) = after_300(10_000).await;
        store.let_reads(Reads::Fail);
        let chat = filter(vec![EventType::Chat], []);
        for subscription in
            [after(10), after(900), last(3), Subscription { filter: chat, ..last(3) }]
        {
            let mut client = running.client(subscription.clone());
            let began = Instant::now();
            for _ in 0..2 {
                assert_eq!(client.next().await, Seen::End(End::Unavailable), "{subscription:?}");
            }
            assert_eq!(began.elapsed(), Duration::ZERO);
        }
        assert_eq!(running.client(after(295)).take(), resumed(295, 300), "the window is enough");
    });
}

#[test]
fn a_stream_does_not_start_if_the_store_hangs() {
    on_one_thread(async {
        let (store, running) = after_300(10_000).await;
        store.let_reads(Reads::Hang);
        for subscription in [after(10), last(3)] {
            let began = Instant::now();
            assert_eq!(running.client(subscription).next().await, Seen::End(End::Unavailable));
            assert_eq!(began.elapsed().as_secs(), 30);
        }
        assert_eq!(store.under_way(), 0);
    });
}

#[test]
fn a_store_that_fails_after_the_start_has_time_to_recover() {
    on_one_thread(async {
        let (store, running) = after_300(10_000).await;
        let mut client = running.client(after(10));
        assert_eq!(client.take(), []);
        settled().await;
        let first = client.take();
        assert_eq!(first.len(), 1 + 54, "the notice, and the events up to 64");
        store.let_reads(Reads::Fail);
        assert_eq!(client.see().await, []);
        tokio::time::sleep(Duration::from_secs(20)).await;
        store.let_reads(Reads::Pass);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!([first, client.see().await].concat(), resumed(10, 300));
    });
}

#[test]
fn a_client_that_requests_nothing_receives_no_notices() {
    on_one_thread(async {
        let (_, running) = after_300(10_000).await;
        let mut client = running.client(Subscription::default());
        assert_eq!(client.see().await, []);
        tokio::time::advance(Duration::from_mins(20)).await;
        assert_eq!(client.see().await, []);
        running.append(20).await;
        assert_eq!(client.see().await, events(301..=320));
        tokio::time::advance(Duration::from_mins(20)).await;
        assert_eq!(client.see().await, []);
    });
}

#[test]
fn a_transport_can_enable_notices_without_a_request() {
    on_one_thread(async {
        let (_, running) = after_300(10_000).await;
        let every = Some(Duration::from_secs(15));
        let mut client = Client::new(running.worker.stream(Subscription::default(), every));
        assert_eq!(client.take(), [Seen::Live(300)]);
        running.append(1).await;
        assert_eq!(client.take(), [Seen::Event(301)]);
    });
}
