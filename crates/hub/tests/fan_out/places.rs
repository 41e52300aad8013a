//! A few read the store at once; the others wait in a row, and everyone has a turn.

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

/// How many may read at once.
const PLACES: usize = 32;
const EVENTS: usize = 300;
const ALL: u64 = EVENTS as u64;
const TWO: WindowLimits = WindowLimits { frames: 2, bytes: usize::MAX };

/// A hub behind whose window there is a lot, over a store that does not answer for now.
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

/// So many clients on their way from the start, each as far as it comes.
async fn behind(running: &Running, count: usize) -> Vec<Client> {
    let mut clients: Vec<_> = (0..count).map(|_| Client::new(running.cursor(0))).collect();
    for client in &mut clients {
        assert_eq!(client.see().await, []);
    }
    clients
}

#[test]
fn only_so_many_read_at_once_and_all_get_through() {
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
fn a_row_is_served_in_its_order() {
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
        // Those of one row are served at the same time, in any order.
        let rows: Vec<_> = served.borrow().iter().map(|n| n / PLACES).collect();
        assert!(rows.is_sorted(), "{rows:?}");
        assert_eq!(rows.len(), 3 * PLACES);
    });
}

#[test]
fn who_goes_leaves_its_place_to_the_next() {
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
        assert_eq!((store.asked(), store.under_way()), (0, PLACES - 1), "nobody waits any more");
    });
}

#[test]
fn who_goes_while_it_waits_in_the_row_takes_nobodys_place() {
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
fn who_goes_when_its_turn_has_come_leaves_it_to_the_next() {
    on_one_thread(async {
        let (store, running) = over_a_hanging_store().await;
        let mut clients = behind(&running, PLACES + 2).await;
        // The next in the row goes in the moment in which its turn comes.
        drop(clients.remove(0));
        drop(clients.remove(PLACES - 1));
        settled().await;
        assert_eq!((store.asked(), store.under_way()), (PLACES + 1, PLACES));
    });
}

#[test]
fn a_client_that_does_not_look_holds_no_place() {
    on_one_thread(async {
        let (store, running) = over_a_hanging_store().await;
        // They began, and are never polled again.
        let stalled = behind(&running, PLACES + 5).await;
        store.let_reads(Reads::Pass);
        let mut another = Client::new(running.cursor(0));
        assert_eq!(another.events_up_to(ALL).await, ((1..=ALL).collect(), None));
        drop(stalled);
    });
}

#[test]
fn a_page_in_hand_takes_no_place() {
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
fn who_opens_a_stream_waits_in_the_same_row() {
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
fn waiting_in_the_row_is_no_lack_of_progress() {
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
        // The first row ends in vain after 30 seconds and the second after 60; the third is
        // served.
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
fn who_comes_out_of_the_row_has_all_its_patience_left() {
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
fn a_storm_of_those_who_come_rests_after_the_first_turns() {
    // Two pages back, so that finding the place takes more than one turn.
    for subscription in [after(0), last(150)] {
        on_one_thread(async {
            let (store, running) = over_a_hanging_store().await;
            store.let_reads(Reads::Pass);
            let mut clients: Vec<_> =
                (0..5 * PLACES).map(|_| running.client(subscription.clone())).collect();
            for client in &mut clients {
                assert_eq!(client.take(), []);
            }
            // The runtime goes round and round, and no time passes.
            settled().await;
            // The first to come find places free and do not rest; all who follow do.
            let asked = store.asked();
            assert!(asked < 2 * PLACES, "{subscription:?}: {asked}");
        });
    }
}
