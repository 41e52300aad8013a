//! Pages of encoded events from before the window, shared by the cursors that come by.

use crate::frame::{Encoder, Entry, Frame};
use northgate_domain::{Event, EventFilter, Position, Positioned};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The usual number of frames of a page. Pages end where the offset is a multiple of it, wherever
/// they begin: so cursors that came to different places soon ask for the same pages.
pub(crate) const FRAMES_PER_PAGE: usize = 64;
/// A page ends with the frame that reaches so many bytes: it stays with a cursor until its client
/// has taken it.
const PAGE_BYTES: usize = 64 * 1024;
/// The most bytes of pages that are kept for others.
const KEPT_BYTES: usize = 4 * 1024 * 1024;
/// How long they are kept.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// Events that follow one another, in the hand of one cursor. Cloning shares them.
#[derive(Clone)]
pub(crate) struct Page {
    entries: Arc<[Entry]>,
    /// How many of them were given.
    given: usize,
    /// Where to go on once all were given.
    next: Position,
    /// Whether it would be the same if it was read again later.
    whole: bool,
}

impl Page {
    /// Nothing, before `next`.
    pub(crate) fn empty(next: Position) -> Self {
        Self { entries: Arc::new([]), given: 0, next, whole: false }
    }

    /// The most events that a page after this position has: up to the next place where pages end,
    /// or the one after that where the next is near.
    pub(crate) fn most_events(after: Position) -> usize {
        let size = FRAMES_PER_PAGE as u64;
        let rest = size - after.offset % size;
        let most = if rest < size / 2 { rest + size } else { rest };
        usize::try_from(most).unwrap_or(FRAMES_PER_PAGE)
    }

    /// The page after a position, from the events there.
    pub(crate) fn encode(after: Position, events: &[Positioned<Event>], encoder: Encoder) -> Self {
        let mut entries = Vec::with_capacity(events.len());
        let mut bytes = 0;
        for event in events {
            let entry = Entry::encode(event, encoder);
            bytes += entry.frame.held_bytes();
            entries.push(entry);
            if bytes >= PAGE_BYTES {
                break;
            }
        }
        let next = entries.last().map_or(after, |entry| entry.frame.position());
        let whole = entries.len() == Self::most_events(after) || bytes >= PAGE_BYTES;
        Self { entries: entries.into(), given: 0, next, whole }
    }

    /// The next frame that matches.
    pub(crate) fn next_frame(&mut self, filter: Option<&EventFilter>) -> Option<Frame> {
        while let Some(entry) = self.entries.get(self.given) {
            self.given += 1;
            if entry.is_for(filter) {
                return Some(entry.frame.clone());
            }
        }
        None
    }

    /// Where to go on once all was given.
    pub(crate) fn next(&self) -> Position {
        self.next
    }

    /// Whether it would be the same if it was read again later: it does not end at the head.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    fn held_bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.frame.held_bytes()).sum()
    }
}

/// The pages that were read last, by the position that they follow. In a storm of cursors that
/// come back from the same place, each page is read and encoded once, and not by each of them.
#[derive(Default)]
pub(crate) struct Pages {
    by_position: HashMap<Position, Page>,
    /// The same in the order in which they came, with their sizes.
    order: VecDeque<(Position, usize, Instant)>,
    bytes: usize,
}

impl Pages {
    /// The page after a position, if it was read not long ago.
    pub(crate) fn get(&mut self, after: Position, now: Instant) -> Option<Page> {
        self.forget_old(now);
        self.by_position.get(&after).cloned()
    }

    /// Keeps a page for others.
    pub(crate) fn put(&mut self, after: Position, page: Page, now: Instant) {
        let bytes = page.held_bytes();
        // Two may have read it at the same time.
        if self.by_position.insert(after, page).is_none() {
            self.order.push_back((after, bytes, now));
            self.bytes += bytes;
        }
        self.forget_old(now);
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some(&(after, bytes, kept_at)) = self.order.front() {
            if self.bytes <= KEPT_BYTES && now.duration_since(kept_at) < KEPT_FOR {
                return;
            }
            self.order.pop_front();
            self.by_position.remove(&after);
            self.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::tests::{ENCODER, chat, position};

    fn events(from: u64, count: u64, length: usize) -> Vec<Positioned<Event>> {
        (from..from + count).map(|offset| chat(offset, &"x".repeat(length))).collect()
    }

    fn given(mut page: Page) -> Vec<u64> {
        std::iter::from_fn(|| page.next_frame(None)).map(|f| f.position().offset).collect()
    }

    #[test]
    fn pages_end_at_the_same_places_wherever_they_begin() {
        for (after, most) in [(0, 64), (1, 63), (32, 32), (33, 95), (63, 65), (64, 64), (100, 92)] {
            assert_eq!(Page::most_events(position(after)), most);
        }
    }

    #[test]
    fn a_page_ends_with_the_frame_that_reaches_its_bytes() {
        let page = Page::encode(position(0), &events(1, 64, 4_000), ENCODER);
        let size = Entry::encode(&chat(1, &"x".repeat(4_000)), ENCODER).frame.held_bytes();
        let count = PAGE_BYTES.div_ceil(size) as u64;
        assert!(page.is_whole());
        assert_eq!(page.next(), position(count));
        assert_eq!(given(page), (1..=count).collect::<Vec<_>>());
    }

    #[test]
    fn a_page_that_ends_at_the_head_will_be_longer() {
        assert!(!Page::encode(position(0), &events(1, 63, 10), ENCODER).is_whole());
        assert!(Page::encode(position(0), &events(1, 64, 10), ENCODER).is_whole());
        assert!(Page::encode(position(30), &events(31, 34, 10), ENCODER).is_whole());
        assert!(!Page::encode(position(60), &events(61, 4, 10), ENCODER).is_whole());
        let nothing = Page::encode(position(5), &[], ENCODER);
        assert_eq!((nothing.is_whole(), nothing.next()), (false, position(5)));
    }

    #[test]
    fn pages_are_kept_for_a_while_and_within_their_bytes() {
        let start = Instant::now();
        let mut pages = Pages::default();
        let page = Page::encode(position(0), &events(1, 64, 4_000), ENCODER);
        let fitting = KEPT_BYTES / page.held_bytes();
        for n in 0..fitting as u64 + 5 {
            pages.put(position(n), page.clone(), start);
            // Read by two at once.
            pages.put(position(n), page.clone(), start);
        }
        assert!(pages.bytes <= KEPT_BYTES && pages.order.len() == fitting);
        assert!(pages.get(position(4), start).is_none(), "the oldest go first");
        assert_eq!(given(pages.get(position(5), start).unwrap()), given(page));
        assert!(pages.get(position(5), start + KEPT_FOR).is_none());
        assert_eq!((pages.bytes, pages.by_position.len()), (0, 0));
    }
}
