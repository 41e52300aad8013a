//! Law 4, *Honest*: a store reports a gap if events are missing, and only then.

use super::Harness;
use super::sample::{append, everything_after, head, open, raise, say, window};
use crate::{READ_BYTES, ReadError, ReadFrom};
use northgate_domain::{Epoch, Event, Position, Positioned};

/// A read from a position of another epoch or beyond the head must return a gap, in both
/// directions.
pub async fn a_foreign_position_is_a_gap(harness: &dyn Harness) {
    let store = open(harness, window(100)).await;
    append(store.as_ref(), raise("one")).await;
    let latest = head(store.as_ref());
    let gap = Err(ReadError::Gap { oldest: Position::start(latest.epoch), latest });

    let other_epoch = Epoch::new(latest.epoch.get().wrapping_add(1));
    for offset in [0, 1, 2] {
        let foreign = Position { epoch: other_epoch, offset };
        assert_eq!(store.read(ReadFrom::After(foreign), 10).await, gap);
        assert_eq!(store.read(ReadFrom::Before(foreign), 10).await, gap);
    }
    for beyond in [latest.advanced_by(1), Position { offset: u64::MAX, ..latest }] {
        assert_eq!(store.read(ReadFrom::After(beyond), 10).await, gap);
        assert_eq!(store.read(ReadFrom::Before(beyond), 10).await, gap);
    }
}

/// After trimming, a read after any position must return all events up to the head, or a gap. The
/// gap must state the smallest position after which all events can still be read.
pub async fn a_trimmed_position_is_a_gap(harness: &dyn Harness) {
    let store = open(harness, window(10)).await;
    let start = head(store.as_ref());
    for n in 0..25_u64 {
        append(store.as_ref(), raise(&n.to_string())).await;
        let latest = head(store.as_ref());
        let mut readable = 0;
        let mut first_readable = None;
        let mut named_oldest = None;
        for offset in 0..=latest.offset {
            match store.read(ReadFrom::After(start.advanced_by(offset)), 1_000).await {
                Ok(events) => {
                    assert_eq!(events.len() as u64, latest.offset - offset);
                    readable += 1;
                    first_readable.get_or_insert(offset);
                }
                Err(ReadError::Gap { oldest, latest: stated }) => {
                    assert_eq!(stated, latest);
                    assert!(
                        oldest.offset > offset,
                        "the store reported a gap after an offset that the gap states as readable"
                    );
                    named_oldest = Some(oldest.offset);
                    assert_eq!(
                        readable, 0,
                        "the store reported a gap after a position that could be read"
                    );
                }
                Err(other) => panic!("the read failed with {other:?}"),
            }
        }
        assert!(
            readable > latest.offset.min(10),
            "the store retains fewer events than its capacity"
        );
        assert!(
            named_oldest.is_none() || named_oldest == first_readable,
            "the gap does not state the smallest position that can be read"
        );
    }
}

/// A read after the head must return an empty page, not a gap.
pub async fn reading_at_the_head_returns_an_empty_page(harness: &dyn Harness) {
    let store = open(harness, window(3)).await;
    for n in 0..10 {
        let latest = head(store.as_ref());
        assert_eq!(store.read(ReadFrom::After(latest), 10).await, Ok(Vec::new()));
        append(store.as_ref(), raise(&n.to_string())).await;
    }
    assert_eq!(store.read(ReadFrom::Before(head(store.as_ref())), 0).await, Ok(Vec::new()));
}

/// Paging backwards from the head must return every retained event exactly once, each page in
/// rising order.
pub async fn backward_pages_return_every_retained_event_once(harness: &dyn Harness) {
    let store = open(harness, window(10)).await;
    for n in 0..17 {
        append(store.as_ref(), raise(&n.to_string())).await;
    }
    let latest = head(store.as_ref());
    let Err(ReadError::Gap { oldest, .. }) =
        store.read(ReadFrom::After(Position::start(latest.epoch)), 1).await
    else {
        panic!("the store reported no gap, though 17 events exceed the capacity of 10")
    };
    let retained = everything_after(store.as_ref(), oldest).await;

    let mut backwards = Vec::new();
    let mut before = latest;
    loop {
        let page = store.read(ReadFrom::Before(before), 3).await.unwrap();
        let Some(first) = page.first() else { break };
        before = Position { offset: first.position.offset - 1, ..latest };
        backwards.splice(0..0, page);
    }
    assert_eq!(backwards, retained);
    assert_eq!(store.read(ReadFrom::Before(Position::start(latest.epoch)), 5).await, Ok(vec![]));
}

/// A read must return at most `READ_BYTES` of events, even with a larger `limit`, because each of
/// many readers has a page in memory. Later reads must return the remaining events.
pub async fn a_read_is_bounded_in_bytes(harness: &dyn Harness) {
    const EVENTS: u64 = 300;
    let store = open(harness, window(1_000)).await;
    let large = "x".repeat(4_000);
    for _ in 0..EVENTS {
        append(store.as_ref(), say(&large)).await;
    }
    let head = head(store.as_ref());
    let bytes = |events: &[Positioned<Event>]| -> usize {
        events.iter().map(|event| event.value.approximate_bytes()).sum()
    };
    let mut next = Position::start(head.epoch);
    let mut reads = 0;
    while next != head {
        let events = store.read(ReadFrom::After(next), usize::MAX).await.unwrap();
        assert!(bytes(&events) <= READ_BYTES);
        assert_eq!(events[0].position, next.advanced_by(1));
        next = events.last().unwrap().position;
        reads += 1;
    }
    assert_eq!(reads, 2, "the store returned fewer bytes per read than it could");
    let newest = store.read(ReadFrom::Before(head), usize::MAX).await.unwrap();
    assert!(bytes(&newest) <= READ_BYTES);
    assert_eq!(newest.last().unwrap().position, head);
}
