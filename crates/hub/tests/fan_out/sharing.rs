//! An event is encoded once: every cursor returns the same bytes in memory, not copies of them.

use crate::one_thread::{Running, on_one_thread};
use crate::sample::{ROOMY, json, take, websocket};

#[test]
fn every_cursor_of_every_worker_returns_the_same_bytes_in_memory() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let other = running.hub.worker();
        let mut cursors = [running.cursor(0), running.cursor(0), other.cursor(running.position(0))];
        running.append(3).await;
        let late = running.hub.worker();
        let mut late = [late.cursor(running.position(0)), running.cursor(0)];

        let taken = cursors.iter_mut().chain(&mut late).map(|cursor| take(cursor).0);
        let taken: Vec<_> = taken.collect();
        for frames in &taken {
            assert_eq!(frames.len(), 3);
            for (frame, first) in frames.iter().zip(&taken[0]) {
                assert_eq!(frame.position(), first.position());
                assert_eq!(websocket(frame).as_ptr(), websocket(first).as_ptr());
            }
        }
    });
}

#[test]
fn an_event_stream_sends_a_part_of_the_same_buffer() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut cursor = running.cursor(0);
        running.append(1).await;
        let (frames, _) = take(&mut cursor);
        let (websocket, json) = (websocket(&frames[0]), json(&frames[0]));
        assert_eq!(json.as_ptr_range().end, websocket.as_ptr_range().end);
        assert_eq!(json.first(), Some(&b'{'));
        assert!(json.len() < websocket.len());
    });
}
