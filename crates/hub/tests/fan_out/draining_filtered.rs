//! Draining a filtered cursor: events that do not match do not delay its end.

use crate::client::{Seen, after, alerts, events, new_alerts};
use crate::one_thread::{Running, on_one_thread, settled};
use crate::sample::{ROOMY, alert, append};
use northgate_hub::End;

const DRAINED: Seen = Seen::End(End::Drained { turn: 0 });

#[test]
fn a_filtered_cursor_drains_though_no_remaining_event_matches() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut client = running.client(new_alerts());
        assert_eq!(client.see().await, [Seen::Resumed(0), Seen::Live(0)]);
        // One refresh of the worker's window brings both the events and the drain.
        append(running.store.as_ref(), 3).await;
        running.hub.caught_up().await;
        running.hub.drain();
        settled().await;
        assert!(client.is_woken());
        assert_eq!(client.take(), [DRAINED]);
    });
}

#[test]
fn a_filtered_cursor_returns_no_event_appended_after_the_drain() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut client = running.client(alerts(after(0)));
        running.append(2).await;
        running.hub.drain();
        running.store.append(vec![alert("North Gate")]).await.unwrap();
        settled().await;
        assert_eq!(client.take(), [Seen::Resumed(0), DRAINED]);
    });
}

#[test]
fn a_filtered_cursor_returns_all_matches_before_it_drains() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut client = running.client(alerts(after(0)));
        running.append(2).await;
        running.store.append(vec![alert("North Gate"), alert("East Gate")]).await.unwrap();
        running.append(2).await;
        running.hub.drain();
        settled().await;
        let given = [vec![Seen::Resumed(0)], events([3, 4]), vec![DRAINED]].concat();
        assert_eq!(client.take(), given);
    });
}
