//! How a store finds one page of a history.

use crate::QueryError;
use northgate_domain::{HistoryPage, HistoryRange, Position, Positioned};
use std::ops::RangeInclusive;

/// The way to one page of a history: the same for every store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPlan {
    position: Position,
    limit: usize,
    max_bytes: usize,
    /// Whether to scan from the oldest on, and not from the newest.
    pub upwards: bool,
    /// The offsets of what the part may hold; empty if it ends before it begins.
    pub offsets: RangeInclusive<u64>,
    /// The offsets on the other side of where the scan begins.
    pub beyond: RangeInclusive<u64>,
}

impl ScanPlan {
    /// The way to the page that `range` asks for, in a log whose newest event stands at `head`.
    /// Refuses positions that the log never gave out.
    pub fn new(range: &HistoryRange, head: Position) -> Result<Self, QueryError> {
        let ours = |p: &Position| p.epoch == head.epoch && p.offset <= head.offset;
        if !range.after.iter().chain(&range.before).all(ours) {
            return Err(QueryError::Foreign);
        }
        // Nothing stands at offset 0: it is the place before all.
        let first = range.after.map_or(1, |after| after.offset + 1);
        let last = range.before.map_or(head.offset, |before| before.offset.saturating_sub(1));
        let upwards = range.after.is_some();
        let beyond = if upwards { 1..=first - 1 } else { last + 1..=head.offset };
        Ok(Self {
            position: head,
            limit: range.limit,
            max_bytes: range.max_bytes,
            upwards,
            offsets: first..=last,
            beyond,
        })
    }

    /// How many items to look for: one more than is given tells that there are more.
    pub fn wanted(&self) -> usize {
        self.limit.saturating_add(1)
    }

    /// A part without room, which is full with the first item that matches: for the question
    /// whether any does.
    pub fn probe<T>(&self) -> PageBuilder<T> {
        PageBuilder { limit: 0, ..self.page() }
    }

    /// An empty part, to be filled with what is found on the way.
    pub fn page<T>(&self) -> PageBuilder<T> {
        PageBuilder {
            items: Vec::new(),
            limit: self.limit,
            bytes_left: self.max_bytes,
            is_full: false,
            examined_to: None,
        }
    }

    /// The page of `items`, which are few, or in memory anyway: in rising order, each of the size
    /// that `bytes` gives, and each looked at by `admits`.
    pub fn page_of<'a, T: Clone + 'a>(
        self,
        items: impl DoubleEndedIterator<Item = &'a Positioned<T>>,
        bytes: impl Fn(&T) -> usize,
        admits: impl Fn(&T) -> bool,
    ) -> HistoryPage<T> {
        let (mut page, mut more_beyond) = (self.page(), false);
        let mut matching: Vec<_> = items.filter(|item| admits(&item.value)).collect();
        if !self.upwards {
            matching.reverse();
        }
        for item in matching {
            let offset = item.position.offset;
            more_beyond |= self.beyond.contains(&offset);
            if self.offsets.contains(&offset) && !page.may_go_on() {
                page.push(item.clone(), bytes(&item.value));
            }
        }
        self.end(page, more_beyond)
    }

    /// The answer; `more_beyond` says whether anything that matches may stand
    /// [beyond](Self::beyond) the beginning of the scan.
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

/// The items of a part, in the order of the scan, while it is being filled.
#[derive(Debug)]
pub struct PageBuilder<T> {
    items: Vec<Positioned<T>>,
    limit: usize,
    bytes_left: usize,
    is_full: bool,
    examined_to: Option<u64>,
}

impl<T> PageBuilder<T> {
    /// Adds an item of so many bytes. Returns false if there was no room for it: the part is full,
    /// and more match.
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

    /// Ends the part at an offset up to which every item was examined, though more may match
    /// after it.
    pub fn stop_at(&mut self, offset: u64) {
        self.examined_to = Some(offset);
    }

    /// Whether more items match than the part holds, or might if the scan had not stopped.
    pub fn may_go_on(&self) -> bool {
        self.is_full || self.examined_to.is_some()
    }
}
