//! The plan of a scan that finds one page of a history.

use crate::QueryError;
use northgate_domain::{HistoryPage, HistoryRange, Position, Positioned};
use std::ops::RangeInclusive;

/// Offsets and limits of the scan for one page of a history, the same for every store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPlan {
    position: Position,
    limit: usize,
    max_bytes: usize,
    /// Whether to scan from the oldest item to the newest; otherwise from the newest to the oldest.
    pub upwards: bool,
    /// Offsets that the page may contain; empty if the range ends before it begins.
    pub offsets: RangeInclusive<u64>,
    /// Offsets on the other side of the start of the scan. A matching item there means that there
    /// is also a page on that side.
    pub beyond: RangeInclusive<u64>,
}

impl ScanPlan {
    /// Plans the page that `range` requests, in a log whose newest event is at `head`. Returns
    /// [`QueryError::Foreign`] for a position of another log or beyond the head.
    pub fn new(range: &HistoryRange, head: Position) -> Result<Self, QueryError> {
        let ours = |p: &Position| p.epoch == head.epoch && p.offset <= head.offset;
        if !range.after.iter().chain(&range.before).chain(&range.as_of).all(ours) {
            return Err(QueryError::Foreign);
        }
        let end = range.as_of.unwrap_or(head).offset;
        // No event is at offset 0: this offset is the start of the log.
        let first = range.after.map_or(1, |after| after.offset + 1);
        let last = range.before.map_or(end, |before| before.offset.saturating_sub(1).min(end));
        let upwards = range.after.is_some();
        let beyond = if upwards { 1..=end.min(first - 1) } else { last + 1..=end };
        Ok(Self {
            position: head,
            limit: range.limit,
            max_bytes: range.max_bytes,
            upwards,
            offsets: first..=last,
            beyond,
        })
    }

    /// Returns the number of items to look for. This is one more than the limit: the additional
    /// item shows that more items match than the page can contain.
    pub fn wanted(&self) -> usize {
        self.limit.saturating_add(1)
    }

    /// Returns a page with limit 0. A scan into this page finds out whether any item matches: the
    /// first matching item makes the page full.
    pub fn probe<T>(&self) -> PageBuilder<T> {
        PageBuilder { limit: 0, ..self.page() }
    }

    /// Returns an empty page for the matching items.
    pub fn page<T>(&self) -> PageBuilder<T> {
        PageBuilder {
            items: Vec::new(),
            limit: self.limit,
            bytes_left: self.max_bytes,
            is_full: false,
            examined_to: None,
        }
    }

    /// Returns the page of `items`. The items must be in rising order, and must be few or already
    /// in memory. The scan ends when the page is full. `bytes` returns the size of an item, and
    /// `admits` returns whether an item matches.
    pub fn page_of<'a, T: Clone + 'a>(
        self,
        items: impl DoubleEndedIterator<Item = &'a Positioned<T>>,
        bytes: impl Fn(&T) -> usize,
        admits: impl Fn(&T) -> bool,
    ) -> HistoryPage<T> {
        let (mut page, mut more_beyond) = (self.page(), false);
        // Items beyond the start of the scan come before the items of the page. Returns whether
        // the scan continues.
        let mut add = |item: &'a Positioned<T>| {
            let offset = item.position.offset;
            if !admits(&item.value) {
                return true;
            }
            more_beyond |= self.beyond.contains(&offset);
            !self.offsets.contains(&offset) || page.push(item.clone(), bytes(&item.value))
        };
        let mut items = items;
        let _complete = if self.upwards { items.all(&mut add) } else { items.rev().all(&mut add) };
        self.end(page, more_beyond)
    }

    /// Finishes the page. `more_beyond` states whether a matching item may exist in
    /// [`beyond`](Self::beyond).
    pub fn end<T>(self, page: PageBuilder<T>, more_beyond: bool) -> HistoryPage<T> {
        let more = page.may_go_on();
        let PageBuilder { mut items, examined_to, .. } = page;
        let (has_older, has_newer) = if self.upwards {
            (more_beyond, more)
        } else {
            items.reverse();
            (more, more_beyond)
        };
        let Self { position, .. } = self;
        let examined_to = examined_to.map(|offset| Position { offset, ..position });
        HistoryPage { position, items, has_older, has_newer, examined_to }
    }
}

/// A page that is being filled, with its items in the order of the scan.
#[derive(Debug)]
pub struct PageBuilder<T> {
    items: Vec<Positioned<T>>,
    limit: usize,
    bytes_left: usize,
    is_full: bool,
    examined_to: Option<u64>,
}

impl<T> PageBuilder<T> {
    /// Adds an item of `bytes` bytes. Returns false if the item does not fit: the page is then
    /// full, and more items match.
    pub fn push(&mut self, item: Positioned<T>, bytes: usize) -> bool {
        let fits = bytes <= self.bytes_left || (self.items.is_empty() && self.limit > 0);
        if self.items.len() == self.limit || !fits {
            self.is_full = true;
            return false;
        }
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        self.items.push(item);
        true
    }

    /// Ends the page at an offset. Every item up to this offset was examined; more items may match
    /// after it.
    pub fn stop_at(&mut self, offset: u64) {
        self.examined_to = Some(offset);
    }

    /// Returns whether more items match than the page contains, or might match because the scan
    /// stopped early.
    pub fn may_go_on(&self) -> bool {
        self.is_full || self.examined_to.is_some()
    }
}
