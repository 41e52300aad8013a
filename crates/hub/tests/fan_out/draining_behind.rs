//! The end of cursors on their way: each gives what is held before it drains, and can be cut
//! wherever it is.

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
/// How many may read at once, and how many want to.
const PLACES: usize = 32;
const READING: usize = PLACES + 8;
const CUT: Seen = Seen::End(End::Cut);

fn drained(turn: u64) -> Seen {
    Seen::End(End::Drained { turn })
}

/// One client for each place where a cursor can be on its way, over a store that does not answer.
struct OnTheirWay {
    store: Arc<FaultyLog>,
    running: Running,
    /// It has taken one event of a page.
    giving: Client,
    /// It has taken a whole page and waits for the next.
    pausing: Client,
    /// One that resumes and one that wants the newest: they do not know yet where to begin.
    opening: [Client; 2],
    /// More than can read at once: some of them wait in the row.
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
        // The pages that were read are forgotten: the others are to ask by themselves.
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
fn whoever_is_on_its_way_gives_all_that_is_held_before_it_drains() {
    on_one_thread(async {
        let OnTheirWay { store, running, mut giving, mut pausing, mut opening, mut reading } =
            OnTheirWay::new().await;
        running.hub.drain();
        settled().await;
        assert_eq!(giving.see().await, events(2..=64));
        for client in [&mut pausing].into_iter().chain(&mut opening).chain(&mut reading) {
            assert_eq!(client.see().await, [], "none ends before the store has answered");
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

/// That a client sees this notice, then the events from here on, and then the end.
async fn drains(mut client: Client, first: Option<Seen>, from: u64) -> u64 {
    if let Some(first) = first {
        assert_eq!(client.next().await, first);
    }
    for offset in from..=HEAD {
        assert_eq!(client.next().await, Seen::Event(offset));
    }
    let Seen::End(End::Drained { turn }) = client.next().await else { panic!("there is more") };
    assert_eq!(client.next().await, drained(turn));
    turn
}

#[test]
fn whoever_waits_is_called_and_cut_when_the_hub_is_over() {
    on_one_thread(async {
        let OnTheirWay { store, running, mut giving, mut pausing, mut opening, mut reading } =
            OnTheirWay::new().await;
        assert_eq!(pausing.see().await, []);
        running.hub.drain();
        settled().await;
        for client in [&mut pausing].into_iter().chain(&mut opening).chain(&mut reading) {
            assert!(client.is_woken(), "to see that the hub is leaving");
            assert_eq!(client.take(), []);
            client.is_woken();
        }
        running.hub.end();
        settled().await;
        for client in [&mut pausing].into_iter().chain(&mut opening).chain(&mut reading) {
            assert!(client.is_woken());
            assert_eq!(client.take(), [CUT]);
        }
        assert_eq!(giving.take(), [CUT], "though it has more in hand");
        settled().await;
        assert_eq!(store.under_way(), 0, "what is cut takes back what it asked");
        store.let_reads(Reads::Pass);
        for client in [&mut giving, &mut pausing].into_iter().chain(&mut opening) {
            assert_eq!(client.see().await, [CUT]);
        }
    });
}

#[test]
fn whoever_pauses_is_cut_too() {
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
fn events_wake_nobody_who_is_behind_them() {
    on_one_thread(async {
        let store = Arc::new(FaultyLog::new(memory_store(10_000)));
        let running = Running::over(store.clone(), TWO);
        running.append(5).await;
        let mut behind = Client::new(running.cursor(0));
        store.let_reads(Reads::Fail);
        assert_eq!(behind.see().await, [], "it waits to ask again");
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
fn a_drained_cursor_leaves_no_place_taken() {
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
fn a_filtered_cursor_behind_the_window_drains_with_what_matches() {
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
fn a_store_that_does_not_come_back_ends_a_draining_cursor_unfinished() {
    on_one_thread(async {
        let mut scene = OnTheirWay::new().await;
        scene.running.hub.drain();
        let client = &mut scene.reading[0];
        assert_eq!(client.next().await, Seen::End(End::TooFarBehind));
    });
}

#[test]
fn workers_end_once_nothing_is_asked_of_the_store_any_more() {
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
