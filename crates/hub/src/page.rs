//! Pages of encoded events that are older than the window, shared by the cursors that need them.

use crate::frame::{Encoder, Entry, Frame};
use northgate_domain::{Event, EventFilter, Position, Positioned};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Usual number of frames per page. A page ends where the offset is a multiple of this number, so
/// cursors that start at different offsets soon request the same pages.
pub(crate) const FRAMES_PER_PAGE: usize = 64;
/// Size at which a page ends, in bytes: the frame that reaches this size is the last of its page.
/// The size is bounded because a cursor retains the page until its client has read all of it.
const PAGE_BYTES: usize = 64 * 1024;
/// Maximum size in bytes of all pages in the cache.
const KEPT_BYTES: usize = 4 * 1024 * 1024;
/// Time after which a page is removed from the cache.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// A run of consecutive events, with the read offset of one cursor. Cloning shares the events.
#[derive(Clone)]
pub(crate) struct Page {
    entries: Arc<[Entry]>,
    /// Number of entries that the cursor has passed.
    given: usize,
    /// Position to continue from after the last entry.
    next: Position,
    /// Whether a later read would return the same page.
    whole: bool,
}

impl Page {
    /// Creates a page without events. The cursor continues after `next`.
    pub(crate) fn empty(next: Position) -> Self {
        Self { entries: Arc::new([]), given: 0, next, whole: false }
    }

    /// Returns the maximum number of events in the page after this position. The page ends at the
    /// next multiple of [`FRAMES_PER_PAGE`], or at the multiple after that if the next is less than
    /// half a page away.
    pub(crate) fn most_events(after: Position) -> usize {
        let size = FRAMES_PER_PAGE as u64;
        let rest = size - after.offset % size;
        let most = if rest < size / 2 { rest + size } else { rest };
        usize::try_from(most).unwrap_or(FRAMES_PER_PAGE)
    }

    /// Encodes the events after a position as a page.
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

    /// Returns the next frame that matches the filter, and skips the frames before it.
    pub(crate) fn next_frame(&mut self, filter: Option<&EventFilter>) -> Option<Frame> {
        while let Some(entry) = self.entries.get(self.given) {
            self.given += 1;
            if entry.is_for(filter) {
                return Some(entry.frame.clone());
            }
        }
        None
    }

    /// Returns the position to continue from after the last entry.
    pub(crate) fn next(&self) -> Position {
        self.next
    }

    /// Returns whether a later read would return the same page. A later read of a page that ended
    /// at the head may return more events.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    fn held_bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.frame.held_bytes()).sum()
    }
}

/// Cache of the pages that were read last, by the position that they follow. When many cursors
/// resume from the same position together, each page is read and encoded only once.
#[derive(Default)]
pub(crate) struct Pages {
    by_position: HashMap<Position, Page>,
    /// The same pages in the order of insertion, with size in bytes and time of insertion.
    order: VecDeque<(Position, usize, Instant)>,
    bytes: usize,
}

impl Pages {
    /// Returns the page after a position, if it is in the cache.
    pub(crate) fn get(&mut self, after: Position, now: Instant) -> Option<Page> {
        self.forget_old(now);
        self.by_position.get(&after).cloned()
    }

    /// Adds a page to the cache.
    pub(crate) fn put(&mut self, after: Position, page: Page, now: Instant) {
        let bytes = page.held_bytes();
        // Two cursors can read the same page at the same time: count its bytes once.
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
    fn pages_end_at_the_same_offsets_for_any_start() {
        for (after, most) in [(0, 64), (1, 63), (32, 32), (33, 95), (63, 65), (64, 64), (100, 92)] {
            assert_eq!(Page::most_events(position(after)), most);
        }
    }

    #[test]
    fn a_page_ends_with_the_frame_that_reaches_its_byte_limit() {
        let page = Page::encode(position(0), &events(1, 64, 4_000), ENCODER);
        let size = Entry::encode(&chat(1, &"x".repeat(4_000)), ENCODER).frame.held_bytes();
        let count = PAGE_BYTES.div_ceil(size) as u64;
        assert!(page.is_whole());
        assert_eq!(page.next(), position(count));
        assert_eq!(given(page), (1..=count).collect::<Vec<_>>());
    }

    #[test]
    fn a_page_that_ends_at_the_head_is_not_final() {
        assert!(!Page::encode(position(0), &events(1, 63, 10), ENCODER).is_whole());
        assert!(Page::encode(position(0), &events(1, 64, 10), ENCODER).is_whole());
        assert!(Page::encode(position(30), &events(31, 34, 10), ENCODER).is_whole());
        assert!(!Page::encode(position(60), &events(61, 4, 10), ENCODER).is_whole());
        let nothing = Page::encode(position(5), &[], ENCODER);
        assert_eq!((nothing.is_whole(), nothing.next()), (false, position(5)));
    }

    #[test]
    fn cached_pages_are_bounded_by_age_and_bytes() {
        let start = Instant::now();
        let mut pages = Pages::default();
        let page = Page::encode(position(0), &events(1, 64, 4_000), ENCODER);
        let fitting = KEPT_BYTES / page.held_bytes();
        for n in 0..fitting as u64 + 5 {
            pages.put(position(n), page.clone(), start);
            // Two cursors read the same page at the same time.
            pages.put(position(n), page.clone(), start);
        }
        assert!(pages.bytes <= KEPT_BYTES && pages.order.len() == fitting);
        assert!(pages.get(position(4), start).is_none(), "the oldest are removed first");
        assert_eq!(given(pages.get(position(5), start).unwrap()), given(page));
        assert!(pages.get(position(5), start + KEPT_FOR).is_none());
        assert_eq!((pages.bytes, pages.by_position.len()), (0, 0));
    }
}
