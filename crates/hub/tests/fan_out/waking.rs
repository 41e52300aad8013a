//! Waking: a waiting cursor is woken once per batch, and no cursor is woken without a reason.

use crate::one_thread::{Running, on_one_thread, settled};
use crate::sample::{ROOMY, Wakes, append, offsets, take_with};
use northgate_hub::{Cursor, End};
use std::sync::Arc;
use std::task::Waker;

/// A connection with a cursor and a waker that counts.
struct Connection {
    cursor: Cursor,
    wakes: Arc<Wakes>,
    waker: Waker,
}

impl Connection {
    fn new(cursor: Cursor) -> Self {
        let wakes = Arc::new(Wakes::default());
        Self { cursor, waker: wakes.clone().into(), wakes }
    }

    fn take(&mut self) -> (Vec<u64>, Option<End>) {
        let (frames, end) = take_with(&mut self.cursor, &self.waker);
        (offsets(&frames), end)
    }
}

#[test]
fn a_parked_cursor_is_woken_once_per_batch() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut connection = Connection::new(running.cursor(0));
        assert_eq!(connection.take(), (vec![], None));
        running.append(5).await;
        assert_eq!(connection.wakes.taken(), 1);
        assert_eq!(connection.take(), (vec![1, 2, 3, 4, 5], None));

        append(running.store.as_ref(), 1).await;
        append(running.store.as_ref(), 300).await;
        settled().await;
        assert_eq!(connection.wakes.taken(), 1, "batches that arrive together wake once");
        assert_eq!(connection.take().0.len(), 301);

        running.append(1).await;
        running.append(1).await;
        assert_eq!(
            connection.wakes.taken(),
            1,
            "a cursor that was woken but not polled is not woken again"
        );
        assert_eq!(connection.take(), (vec![307, 308], None));
    });
}

#[test]
fn no_cursor_is_woken_without_new_events() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut connection = Connection::new(running.cursor(0));
        running.append(1).await;
        assert_eq!(connection.wakes.taken(), 0, "a cursor that was never polled is not woken");
        assert_eq!(connection.take(), (vec![1], None));
        append(running.store.as_ref(), 0).await;
        let _another = running.hub.worker();
        let _newcomer = running.cursor(0);
        settled().await;
        assert_eq!(connection.wakes.taken(), 0);
    });
}

#[test]
fn a_cursor_that_has_not_read_all_frames_is_not_woken() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut connection = Connection::new(running.cursor(0));
        assert_eq!(connection.take(), (vec![], None));
        running.append(2).await;
        assert_eq!(connection.wakes.taken(), 1);
        let mut context = std::task::Context::from_waker(&connection.waker);
        assert!(connection.cursor.poll_next(&mut context).is_ready());
        running.append(1).await;
        assert_eq!(connection.wakes.taken(), 0);
        assert_eq!(connection.take(), (vec![2, 3], None));
    });
}

#[test]
fn only_the_last_waker_is_woken() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut connection = Connection::new(running.cursor(0));
        assert_eq!(connection.take(), (vec![], None));
        let earlier = std::mem::take(&mut connection.wakes);
        connection.waker = connection.wakes.clone().into();
        assert_eq!(connection.take(), (vec![], None));
        running.append(1).await;
        assert_eq!((earlier.taken(), connection.wakes.taken()), (0, 1));
        assert_eq!(Arc::strong_count(&earlier), 1, "the earlier waker is dropped");
    });
}

#[test]
fn each_of_many_cursors_on_two_workers_is_woken_once() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let other = running.hub.worker();
        let mut connections: Vec<_> = (0..100)
            .map(|n| if n % 2 == 0 { running.cursor(0) } else { other.cursor(running.position(0)) })
            .map(Connection::new)
            .collect();
        for batch in 1..=3 {
            for connection in &mut connections {
                assert_eq!(connection.take().1, None);
            }
            running.append(batch).await;
            for connection in &connections {
                assert_eq!(connection.wakes.taken(), 1);
            }
        }
    });
}

#[test]
fn a_cursor_dropped_while_parked_is_removed_completely() {
    on_one_thread(async {
        let running = Running::new(ROOMY);
        let mut connections: Vec<_> = (0..3).map(|_| Connection::new(running.cursor(0))).collect();
        for connection in &mut connections {
            assert_eq!(connection.take(), (vec![], None));
        }
        assert_eq!(running.hub.cursors(), 3);
        let Connection { cursor, wakes, waker } = connections.remove(1);
        drop((cursor, waker));
        assert_eq!(running.hub.cursors(), 2);
        assert_eq!(Arc::strong_count(&wakes), 1, "its waker is dropped");

        // A new cursor reuses the slot of the dropped cursor. The new cursor has not been polled,
        // so it is not woken.
        let heir = Connection::new(running.cursor(0));
        running.append(1).await;
        assert_eq!((wakes.taken(), heir.wakes.taken()), (0, 0));
        for connection in &mut connections {
            assert_eq!(connection.wakes.taken(), 1);
            assert_eq!(connection.take(), (vec![1], None));
        }
        drop((heir, connections));
        assert_eq!(running.hub.cursors(), 0);
    });
}
