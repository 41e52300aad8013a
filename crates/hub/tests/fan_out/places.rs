//! Reader permits: a limited number of cursors read the store at the same time. The others wait in
//! a queue, and each of them gets a permit.

use crate::client::{Client, Seen, after, last};
use crate::faulty_log::{FaultyLog, Reads};
use crate::one_thread::{Running, on_one_thread, settled};
use crate::sample::memory_store;
use northgate_hub::{End, WindowLimits};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// Number of reader permits.
const PLACES: usize = 32;
const EVENTS: usize = 300;
const ALL: u64 = EVENTS as u64;
const TWO: WindowLimits = WindowLimits { frames: 2, bytes: usize::MAX };

/// Creates a hub with many events older than its window, over a store that hangs for now.
async fn over_a_hanging_store() -> (Arc<FaultyLog>, Running) {
    let store = Arc::new(FaultyLog::new(memory_store(10_000)));
    let running = Running::over(store.clone(), TWO);
    running.append(EVENTS).await;
    running.hub.caught_up().await;
    settled().await;
    store.let_reads(Reads::Hang);
    store.asked();
    (store, running)
}

/// Creates `count` clients at the start of the log, and polls each until it waits.
async fn behind(running: &Running, count: usize) -> Vec<Client> {
    let mut clients: Vec<_> = (0..count).map(|_| Client::new(running.cursor(0))).collect();
    for client in &mut clients {
        assert_eq!(client.see().await, []);
    }
    clients
}

#[test]
fn the_number_of_readers_is_limited_and_all_finish() {
    on_one_thread(async {
        let (store, running) = over_a_hanging_store().await;
        let elsewhere = running.hub.worker();
        let mut tasks = JoinSet::new();
        for n in 0..3 * PLACES {
            let worker = if n % 2 == 0 { &elsewhere } else { &running.worker };
            let mut client = Client::new(worker.cursor(running.position(0)));
            tasks.spawn_local(async move { client.events_up_to(ALL).await });
        }
        settled().await;
        assert_eq!((store.asked(), store.under_way()), (PLACES, PLACES));
        store.let_reads(Reads::Dawdle);
        for given in tasks.join_all().await {
            assert_eq!(given, ((1..=ALL).collect(), None));
        }
        assert_eq!((store.under_way(), store.most_at_once()), (0, PLACES));
    });
}

#[test]
fn waiting_readers_are_served_in_order() {
    on_one_thread(async {
        let (store, running) = over_a_hanging_store().await;
        let served = Rc::new(RefCell::new(Vec::new()));
        let mut tasks = JoinSet::new();
        for n in 0..PLACES * 3 {
            let mut client = Client::new(running.cursor(0));
            let served = served.clone();
            tasks.spawn_local(async move {
                assert_eq!(client.next().await, Seen::Event(1));
                served.borrow_mut().push(n);
            });
        }
        settled().await;
        store.let_reads(Reads::Pass);
        tasks.join_all().await;
        // Readers of one group of `PLACES` run at the same time and finish in any order.
        let rows: Vec<_> = served.borrow().iter().map(|n| n / PLACES).collect();
        assert!(rows.is_sorted(), "{rows:?}");
        assert_eq!(rows.len(), 3 * PLACES);
    });
}

#[test]
fn a_dropped_reader_passes_its_permit_to_the_next() {
    on_one_thread(async {
        let (store, running) = over_a_hanging_store().await;
        let mut clients = behind(&running, PLACES + 3).await;
        assert_eq!((store.asked(), store.under_way()), (PLACES, PLACES));
        for _ in 0..3 {
            drop(clients.remove(0));
            settled().await;
            assert_eq!((store.asked(), store.under_way()), (1, PLACES));
        }
        drop(clients.remove(0));
        settled().await;
        assert_eq!((store.asked(), store.under_way()), (0, PLACES - 1), "the queue is empty");
    });
}

#[test]
fn a_cursor_dropped_in_the_queue_uses_no_permit() {
    on_one_thread(async {
        let (store, running) = over_a_hanging_store().await;
        let mut clients = behind(&running, PLACES + 2).await;
        drop(clients.remove(PLACES));
        settled().await;
        assert_eq!((store.asked(), store.under_way()), (PLACES, PLACES));
        drop(clients.remove(0));
        settled().await;
        assert_eq!((store.asked(), store.under_way()), (1, PLACES));
    });
}

#[test]
fn a_cursor_dropped_when_it_gets_a_permit_passes_it_on() {
    on_one_thread(async {
        let (store, running) = over_a_hanging_store().await;
        let mut clients = behind(&running, PLACES + 2).await;
        // The next cursor in the queue is dropped before it can use the permit.
        drop(clients.remove(0));
        drop(clients.remove(PLACES - 1));
        settled().await;
        assert_eq!((store.asked(), store.under_way()), (PLACES + 1, PLACES));
    });
}

#[test]
fn a_cursor_that_is_not_polled_holds_no_permit() {
    on_one_thread(async {
        let (store, running) = over_a_hanging_store().await;
        // These clients have started to read, and are never polled again.
        let stalled = behind(&running, PLACES + 5).await;
        store.let_reads(Reads::Pass);
        let mut another = Client::new(running.cursor(0));
        assert_eq!(another.events_up_to(ALL).await, ((1..=ALL).collect(), None));
        drop(stalled);
    });
}

#[test]
fn a_cursor_with_a_page_holds_no_permit() {
    on_one_thread(async {
        let (store, running) = over_a_hanging_store().await;
        store.let_reads(Reads::Pass);
        let mut holding = Vec::new();
        for _ in 0..PLACES {
            let mut client = Client::new(running.cursor(0));
            assert_eq!(client.next().await, Seen::Event(1));
            holding.push(client);
        }
        let mut another = Client::new(running.cursor(0));
        assert_eq!(another.see().await.len(), EVENTS);
    });
}

#[test]
fn streams_that_open_wait_in_the_queue_of_readers() {
    on_one_thread(async {
        let (store, running) = over_a_hanging_store().await;
        let mut reading = behind(&running, PLACES).await;
        let mut opening = [running.client(after(0)), running.client(last(300))];
        for client in &mut opening {
            assert_eq!(client.see().await, []);
        }
        assert_eq!(store.under_way(), PLACES);
        reading.clear();
        settled().await;
        assert_eq!(store.under_way(), 2);
        store.let_reads(Reads::Pass);
        for client in &mut opening {
            assert_eq!(client.see().await.len(), EVENTS + 2, "resumed, events, live");
        }
    });
}

#[test]
fn time_in_the_queue_does_not_count_as_lack_of_progress() {
    on_one_thread(async {
        let (store, running) = over_a_hanging_store().await;
        let began = Instant::now();
        let mut tasks = JoinSet::new();
        for row in 0..3 * PLACES {
            let mut client = Client::new(running.cursor(0));
            tasks.spawn_local(async move {
                let given = client.events_up_to(ALL).await;
                (row / PLACES, given, began.elapsed())
            });
            settled().await;
        }
        // The first group gives up after 30 s and the second after 60 s; the third gets its
        // events.
        sleep(Duration::from_secs(75)).await;
        store.let_reads(Reads::Pass);
        for (row, given, after) in tasks.join_all().await {
            if row == 2 {
                assert_eq!(given, ((1..=ALL).collect(), None));
            } else {
                assert_eq!(given, (vec![], Some(End::TooFarBehind)));
                let patience = 30 * (row as u64 + 1);
                assert!((patience..=patience + 1).contains(&after.as_secs()), "{row}: {after:?}");
            }
        }
    });
}

#[test]
fn time_in_the_queue_does_not_shorten_the_time_for_retries() {
    on_one_thread(async {
        let (store, running) = over_a_hanging_store().await;
        let first = behind(&running, PLACES).await;
        let mut waiting = behind(&running, 1).await.remove(0);
        sleep(Duration::from_secs(29)).await;
        drop(first);
        store.let_reads(Reads::Fail);
        let recovering = async {
            sleep(Duration::from_secs(29)).await;
            store.let_reads(Reads::Pass);
        };
        let (given, ()) = tokio::join!(waiting.events_up_to(ALL), recovering);
        assert_eq!(given, ((1..=ALL).collect(), None));
    });
}

#[test]
fn many_opening_streams_pause_after_their_first_reads() {
    // `after(0)` needs one read to find its start, and `last(150)` needs three reads.
    for subscription in [after(0), last(150)] {
        on_one_thread(async {
            let (store, running) = over_a_hanging_store().await;
            store.let_reads(Reads::Pass);
            let mut clients: Vec<_> =
                (0..5 * PLACES).map(|_| running.client(subscription.clone())).collect();
            for client in &mut clients {
                assert_eq!(client.take(), []);
            }
            // The runtime runs many iterations, but the clock does not advance.
            settled().await;
            // The first readers find free permits and do not pause; all later ones do.
            let asked = store.asked();
            assert!(asked < 2 * PLACES, "{subscription:?}: {asked}");
        });
    }
}
