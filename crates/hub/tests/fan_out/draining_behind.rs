//! Draining behind the window: a cursor returns all retained events before it drains, and can be
//! cut in every state.

use crate::client::{Client, Seen, after, alerts, events, last};
use crate::faulty_log::{FaultyLog, Reads};
use crate::one_thread::{Running, on_one_thread, settled};
use crate::sample::{alert, memory_store};
use crate::wanted::filter;
use northgate_domain::Subscription;
use northgate_hub::{End, WindowLimits};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{advance, sleep, timeout};

const TWO: WindowLimits = WindowLimits { frames: 2, bytes: usize::MAX };
const HEAD: u64 = 300;
/// Number of reader permits, and number of cursors that need one.
const PLACES: usize = 32;
const READING: usize = PLACES + 8;
const CUT: Seen = Seen::End(End::Cut);

fn drained(turn: u64) -> Seen {
    Seen::End(End::Drained { turn })
}

/// One client for each state of a cursor behind the window, over a store that does not return.
struct OnTheirWay {
    store: Arc<FaultyLog>,
    running: Running,
    /// A client that has received one event of a page.
    giving: Client,
    /// A client that has received a complete page and waits for the next.
    pausing: Client,
    /// A client that resumes and one that requests the newest events: both wait for their start.
    opening: [Client; 2],
    /// More clients than reader permits: some of them wait in the queue.
    reading: Vec<Client>,
}

impl OnTheirWay {
    async fn new() -> Self {
        let store = Arc::new(FaultyLog::new(memory_store(10_000)));
        let running = Running::over(store.clone(), TWO);
        for _ in 0..HEAD / 10 {
            running.append(10).await;
        }
        let mut giving = Client::new(running.cursor(0));
        assert_eq!(giving.next().await, Seen::Event(1));
        let mut pausing = Client::new(running.cursor(0));
        assert_eq!(pausing.take(), []);
        settled().await;
        assert_eq!(pausing.take(), events(1..=64));
        store.let_reads(Reads::Hang);
        // The cached pages expire, so each of the other clients has to read the store.
        advance(Duration::from_secs(10)).await;
        let mut opening = [running.client(after(3)), running.client(last(149))];
        let mut reading: Vec<_> = (0..READING).map(|_| Client::new(running.cursor(0))).collect();
        for client in opening.iter_mut().chain(&mut reading) {
            assert_eq!(client.see().await, []);
        }
        assert_eq!(store.under_way(), PLACES);
        Self { store, running, giving, pausing, opening, reading }
    }
}

#[test]
fn a_cursor_behind_the_window_returns_all_events_before_it_drains() {
    on_one_thread(async {
        let OnTheirWay { store, running, mut giving, mut pausing, mut opening, mut reading } =
            OnTheirWay::new().await;
        running.hub.drain();
        settled().await;
        assert_eq!(giving.see().await, events(2..=64));
        for client in [&mut pausing].into_iter().chain(&mut opening).chain(&mut reading) {
            assert_eq!(client.see().await, [], "no client ends before the store has returned");
        }
        let [resumed, newest] = opening;
        let mut tasks = JoinSet::new();
        for (client, first, from) in [
            (resumed, Some(Seen::Resumed(3)), 4),
            (newest, Some(Seen::Resumed(151)), 152),
            (giving, None, 65),
            (pausing, None, 65),
        ] {
            tasks.spawn_local(drains(client, first, from));
        }
        for client in reading {
            tasks.spawn_local(drains(client, None, 1));
        }
        sleep(Duration::from_secs(5)).await;
        store.let_reads(Reads::Pass);
        let mut turns = tasks.join_all().await;
        turns.sort_unstable();
        assert_eq!(turns, (0..READING as u64 + 4).collect::<Vec<_>>());
    });
}

/// Asserts that a client receives this notice, then every event from `from` to the head, and then
/// the end. Returns the turn of the client.
async fn drains(mut client: Client, first: Option<Seen>, from: u64) -> u64 {
    if let Some(first) = first {
        assert_eq!(client.next().await, first);
    }
    for offset in from..=HEAD {
        assert_eq!(client.next().await, Seen::Event(offset));
    }
    let Seen::End(End::Drained { turn }) = client.next().await else {
        panic!("the client is not drained")
    };
    assert_eq!(client.next().await, drained(turn));
    turn
}

#[test]
fn waiting_cursors_are_woken_and_cut_when_the_hub_ends() {
    on_one_thread(async {
        let OnTheirWay { store, running, mut giving, mut pausing, mut opening, mut reading } =
            OnTheirWay::new().await;
        assert_eq!(pausing.see().await, []);
        running.hub.drain();
        settled().await;
        for client in [&mut pausing].into_iter().chain(&mut opening).chain(&mut reading) {
            assert!(client.is_woken(), "it is woken because the hub drains");
            assert_eq!(client.take(), []);
            client.is_woken();
        }
        running.hub.end();
        settled().await;
        for client in [&mut pausing].into_iter().chain(&mut opening).chain(&mut reading) {
            assert!(client.is_woken());
            assert_eq!(client.take(), [CUT]);
        }
        assert_eq!(giving.take(), [CUT], "although its page has more events");
        settled().await;
        assert_eq!(store.under_way(), 0, "a cursor that is cut cancels its read");
        store.let_reads(Reads::Pass);
        for client in [&mut giving, &mut pausing].into_iter().chain(&mut opening) {
            assert_eq!(client.see().await, [CUT]);
        }
    });
}

#[test]
fn a_cursor_that_waits_for_a_page_is_cut_when_the_hub_ends() {
    on_one_thread(async {
        let running = Running::new(TWO);
        running.append(10).await;
        let mut pausing = Client::new(running.cursor(0));
        assert_eq!(pausing.take(), []);
        running.hub.end();
        settled().await;
        assert_eq!(pausing.take(), [CUT]);
    });
}

#[test]
fn new_events_do_not_wake_a_cursor_behind_the_window() {
    on_one_thread(async {
        let store = Arc::new(FaultyLog::new(memory_store(10_000)));
        let running = Running::over(store.clone(), TWO);
        running.append(5).await;
        let mut behind = Client::new(running.cursor(0));
        store.let_reads(Reads::Fail);
        assert_eq!(behind.see().await, [], "the cursor waits before its next read");
        store.let_reads(Reads::Pass);
        for _ in 0..5 {
            running.append(3).await;
            assert!(!behind.is_woken());
        }
        sleep(Duration::from_secs(1)).await;
        assert!(behind.is_woken());
        assert_eq!(behind.take(), events(1..=20));
    });
}

#[test]
fn cursors_dropped_while_draining_are_no_longer_counted() {
    on_one_thread(async {
        let OnTheirWay { running, opening, reading, giving, pausing, .. } = OnTheirWay::new().await;
        assert_eq!(running.hub.cursors(), READING + 4);
        running.hub.drain();
        drop((opening, reading, giving, pausing));
        running.hub.cursors_gone().await;
        assert_eq!(running.hub.cursors(), 0);
    });
}

#[test]
fn a_filtered_cursor_behind_the_window_returns_matches_then_drains() {
    on_one_thread(async {
        let running = Running::new(TWO);
        for _ in 0..30 {
            running.append(10).await;
            running.store.append(vec![alert("North Gate")]).await.unwrap();
        }
        running.append(200).await;
        let mut client = running.client(alerts(after(5)));
        let mut nothing =
            running.client(Subscription { filter: filter(vec![], ["West Gate"]), ..last(3) });
        running.hub.drain();
        settled().await;
        let given = events((1..=30).map(|n| n * 11));
        let all = [vec![Seen::Resumed(5)], given, vec![drained(0)]].concat();
        assert_eq!(client.see().await, all);
        assert_eq!(nothing.see().await, [Seen::Resumed(530), drained(1)]);
    });
}

#[test]
fn a_draining_cursor_is_too_far_behind_if_the_store_hangs() {
    on_one_thread(async {
        let mut scene = OnTheirWay::new().await;
        scene.running.hub.drain();
        let client = &mut scene.reading[0];
        assert_eq!(client.next().await, Seen::End(End::TooFarBehind));
    });
}

#[test]
fn workers_stop_once_no_store_read_is_running() {
    on_one_thread(async {
        let OnTheirWay { store, running, opening, reading, giving, pausing } =
            OnTheirWay::new().await;
        let mut stopped = pin!(running.hub.stop_workers());
        assert!(timeout(Duration::from_secs(1), &mut stopped).await.is_err());
        drop((opening, reading, giving, pausing));
        stopped.await;
        assert_eq!(store.under_way(), 0);
    });
}
