//! Notices: when a client receives one, and with which position.

use crate::client::{Client, LIVE_EVERY, Seen, after, alerts, events, last, new_alerts};
use crate::faulty_log::{FaultyLog, Reads};
use crate::one_thread::{Running, on_one_thread, settled};
use crate::sample::{ROOMY, alert, memory_store};
use northgate_domain::Subscription;
use northgate_hub::{End, WindowLimits};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, advance, sleep};

const TWO: WindowLimits = WindowLimits { frames: 2, bytes: usize::MAX };
const A_MOMENT: Duration = Duration::from_millis(5);

/// Advances the clock, and lets the tasks that wait for it run.
async fn pass(time: Duration) {
    advance(time).await;
    settled().await;
}

#[test]
fn notices_come_at_every_interval_even_between_events() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut client = running.client(last(0));
        assert_eq!(client.take(), [Seen::Resumed(0), Seen::Live(0)]);
        let began = Instant::now();
        for n in 1..=4 {
            running.append(1).await;
            assert_eq!(client.take(), [Seen::Event(n)]);
            client.is_woken();
            assert_eq!(client.next().await, Seen::Live(n));
            let told = LIVE_EVERY * u32::try_from(n).unwrap();
            assert!((told..told + A_MOMENT).contains(&began.elapsed()));
        }
    });
}

/// A subscription to new events, with a notice every `seconds`.
fn live_every(seconds: u64) -> Subscription {
    Subscription { live_every: Some(Duration::from_secs(seconds)), ..Subscription::default() }
}

#[test]
fn a_client_chooses_the_interval_of_its_notices() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let began = Instant::now();
        let (mut often, mut seldom) =
            (running.client(live_every(1)), running.client(live_every(60)));
        for client in [&mut often, &mut seldom] {
            assert_eq!(client.take(), [Seen::Resumed(0), Seen::Live(0)]);
        }
        for seconds in 1..=3 {
            assert_eq!(often.next().await, Seen::Live(0));
            let due = Duration::from_secs(seconds);
            assert!((due..due + A_MOMENT).contains(&began.elapsed()));
        }
        assert_eq!(seldom.next().await, Seen::Live(0));
        let due = Duration::from_mins(1);
        assert!((due..due + A_MOMENT).contains(&began.elapsed()));
    });
}

#[test]
fn a_frequent_notice_comes_after_the_events_that_it_covers() {
    on_one_thread(async {
        let running = Running::new(TWO);
        running.append(400).await;
        let mut client = running.client(Subscription { start: after(0).start, ..live_every(1) });
        // The client needs two seconds for each event, so a notice is due all the time.
        assert_eq!(client.next().await, Seen::Resumed(0));
        for offset in 1..=400 {
            assert_eq!(client.next().await, Seen::Event(offset));
            advance(Duration::from_secs(2)).await;
        }
        assert_eq!(client.take(), [Seen::Live(400)]);
        // The next events are available when ten more notices are overdue. The client gets the
        // events first, and then one notice.
        running.append(2).await;
        pass(Duration::from_secs(10)).await;
        assert_eq!(client.take(), [events(401..=402), vec![Seen::Live(402)]].concat());
    });
}

#[test]
fn a_transport_without_notices_sends_none_on_request() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut client = Client::new(running.worker.stream(live_every(1), None));
        running.append(1).await;
        pass(Duration::from_secs(3)).await;
        assert_eq!(client.take(), [Seen::Event(1)]);
    });
}

#[test]
fn a_waiting_client_is_woken_for_a_notice() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut client = running.client(last(0));
        client.see().await;
        pass(LIVE_EVERY.saturating_sub(A_MOMENT)).await;
        assert!(!client.is_woken());
        assert_eq!(client.take(), []);
        pass(A_MOMENT * 2).await;
        assert!(client.is_woken());
        assert_eq!(client.take(), [Seen::Live(0)]);
        assert_eq!(client.take(), []);
    });
}

#[test]
fn a_notice_reports_progress_without_a_match() {
    on_one_thread(async {
        let running = Running::new(TWO);
        let mut client = running.client(new_alerts());
        assert_eq!(client.take(), [Seen::Resumed(0), Seen::Live(0)]);
        for round in 1..=3 {
            // Each round has more events than the window retains, and more than a page.
            for _ in 0..20 {
                running.append(10).await;
            }
            assert_eq!(client.see().await, []);
            pass(LIVE_EVERY + A_MOMENT).await;
            assert_eq!(client.take(), [Seen::Live(200 * round)]);
        }
    });
}

#[test]
fn available_events_come_before_a_due_notice() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut client = running.client(new_alerts());
        client.see().await;
        running.store.append(vec![alert("North Gate")]).await.unwrap();
        running.append(3).await;
        pass(LIVE_EVERY * 3).await;
        assert_eq!(client.take(), [Seen::Event(1), Seen::Live(4)]);
    });
}

#[test]
fn a_resuming_client_gets_a_live_notice_only_once_caught_up() {
    on_one_thread(async {
        let running = Running::new(TWO);
        running.append(400).await;
        let mut client = running.client(after(0));
        // A notice becomes due while the client catches up, but each event reports the position.
        assert_eq!(client.next().await, Seen::Resumed(0));
        for offset in 1..=400 {
            assert_eq!(client.next().await, Seen::Event(offset));
            advance(Duration::from_secs(1)).await;
        }
        assert_eq!(client.take(), [Seen::Live(400)]);
        assert_eq!(client.take(), []);
        pass(LIVE_EVERY + A_MOMENT).await;
        assert_eq!(client.take(), [Seen::Live(400)]);
    });
}

/// Creates a client that has received the first page of a log of 400 events, over a store that then
/// hangs. Only the event at the offset `matches` passes the client's filter; 0 means that none
/// does.
async fn stuck_after_a_page(matches: u64) -> (Arc<FaultyLog>, Running, Client) {
    let store = Arc::new(FaultyLog::new(memory_store(1_000)));
    let running = Running::over(store.clone(), TWO);
    for offset in 1..=200 {
        if offset == matches {
            running.store.append(vec![alert("North Gate")]).await.unwrap();
        } else {
            running.append(1).await;
        }
    }
    running.append(200).await;
    let mut client = running.client(alerts(after(0)));
    let given = if matches == 0 { vec![] } else { vec![Seen::Event(matches)] };
    assert_eq!(client.take(), []);
    settled().await;
    assert_eq!(client.take(), [vec![Seen::Resumed(0)], given].concat());
    store.let_reads(Reads::Hang);
    assert_eq!(client.see().await, []);
    (store, running, client)
}

#[test]
fn a_client_behind_gets_a_notice_if_it_advanced_without_an_event() {
    for matches in [0, 1, 63] {
        on_one_thread(async {
            let (store, _running, mut client) = stuck_after_a_page(matches).await;
            assert_eq!(client.next().await, Seen::Live(64));
            assert_eq!(client.see().await, []);
            store.let_reads(Reads::Pass);
            assert_eq!(client.see().await, [Seen::Live(400)]);
        });
    }
}

#[test]
fn a_client_behind_gets_no_notice_of_a_known_position() {
    on_one_thread(async {
        // The last event of the page matched, so the client knows the position.
        let (store, _running, mut client) = stuck_after_a_page(64).await;
        sleep(LIVE_EVERY + A_MOMENT).await;
        assert_eq!(client.see().await, []);
        store.let_reads(Reads::Pass);
        assert_eq!(client.see().await, [Seen::Live(400)]);
    });
    on_one_thread(async {
        // The newest events start after 100, and no page was read yet.
        let (store, running, _) = stuck_after_a_page(0).await;
        store.let_reads(Reads::Pass);
        let mut client = running.client(last(300));
        assert_eq!(client.next().await, Seen::Resumed(100));
        assert_eq!(client.take(), []);
        store.let_reads(Reads::Hang);
        sleep(LIVE_EVERY + A_MOMENT).await;
        assert_eq!(client.see().await, []);
    });
    on_one_thread(async {
        let (_store, _running, mut client) = stuck_after_a_page(0).await;
        assert_eq!(client.next().await, Seen::Live(64));
        assert_eq!(client.next().await, Seen::End(End::TooFarBehind), "no notice before the end");
    });
}

#[test]
fn a_skipped_notice_is_due_again_after_one_interval() {
    on_one_thread(async {
        let began = Instant::now();
        let (store, _running, mut client) = stuck_after_a_page(64).await;
        sleep(LIVE_EVERY + A_MOMENT).await;
        assert_eq!(client.see().await, []);
        // The client reads one more page, without a match.
        store.let_reads(Reads::Pass);
        settled().await;
        assert_eq!(client.take(), []);
        store.let_reads(Reads::Hang);
        assert_eq!(client.see().await, []);
        assert_eq!(client.next().await, Seen::Live(128));
        assert!(began.elapsed() >= LIVE_EVERY * 2);
    });
}

#[test]
fn a_client_gets_no_notice_before_its_stream_has_started() {
    on_one_thread(async {
        let store = Arc::new(FaultyLog::new(memory_store(1_000)));
        let running = Running::over(store.clone(), TWO);
        running.append(20).await;
        store.let_reads(Reads::Hang);
        let mut clients = [running.client(after(3)), running.client(last(5))];
        for client in &mut clients {
            assert_eq!(client.see().await, []);
        }
        pass(LIVE_EVERY + A_MOMENT).await;
        for client in &mut clients {
            assert_eq!(client.see().await, []);
        }
        store.let_reads(Reads::Pass);
        let [after, last] = &mut clients;
        let rest = |from| [vec![Seen::Resumed(from)], events(from + 1..=20), vec![Seen::Live(20)]];
        assert_eq!(after.see().await, rest(3).concat());
        assert_eq!(last.see().await, rest(15).concat());
    });
}
