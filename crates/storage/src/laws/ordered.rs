//! Law 2, *Ordered*: all events have one order, and no offset is missing.

use super::Harness;
use super::sample::{assert_contiguous, everything_after, head, open, raise, say, text, window};
use crate::Outcome;
use tokio::task::JoinSet;

const WRITERS: usize = 8;
const APPENDS: usize = 60;

/// While eight writers append, no offset may be missing or used twice. The events of each writer
/// must stay in the order of its appends. Readers must see the same events and positions that the
/// appends returned.
pub async fn offsets_are_contiguous_under_concurrent_appends(harness: &dyn Harness) {
    let store = open(harness, window(10_000)).await;
    let start = head(store.as_ref());
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            let mut returned = Vec::new();
            for n in 0..APPENDS {
                let text = format!("{writer}:{n}");
                let vector = vec![raise(&text), say(&text)];
                for outcome in store.append(vector).await.unwrap() {
                    let Outcome::Appended { event, .. } = outcome else {
                        panic!("append did not store an event but returned {outcome:?}")
                    };
                    returned.push(event);
                }
                tokio::task::yield_now().await;
            }
            returned
        });
    }
    let mut returned: Vec<_> = writers.join_all().await.into_iter().flatten().collect();
    let events = everything_after(store.as_ref(), start).await;
    assert_eq!(events.len(), WRITERS * APPENDS * 2);
    assert_contiguous(&events, start);
    assert_eq!(head(store.as_ref()), events.last().unwrap().position);

    for writer in 0..WRITERS {
        let prefix = format!("{writer}:");
        let seen = events.iter().map(|e| text(&e.value)).filter(|text| text.starts_with(&prefix));
        let sent = (0..APPENDS).flat_map(|n| [format!("{writer}:{n}"), format!("{writer}:{n}")]);
        assert!(
            seen.eq(sent),
            "the log does not contain the events of a writer in the order of its appends"
        );
    }
    returned.sort_by_key(|event| event.position.offset);
    assert_eq!(returned, events);
}
