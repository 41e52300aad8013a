//! A map from offset to item, in pieces that snapshots share. A snapshot costs O(1) under the
//! store's lock. A later change copies only one piece and the list of pieces.

use northgate_domain::{Positioned, SearchText};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

/// Number of offsets in one piece. This is the upper bound of items that are copied when one item
/// changes and a snapshot shares its piece.
const SPAN: u64 = 512;

/// An item and its searchable words. The first search computes the words.
pub(super) struct Item<T> {
    pub(super) stamped: Positioned<T>,
    words: OnceLock<SearchText>,
}

impl<T> Item<T> {
    pub(super) fn words(&self, of: fn(&T) -> SearchText) -> &SearchText {
        self.words.get_or_init(|| of(&self.stamped.value))
    }
}

type Piece<T> = BTreeMap<u64, Arc<Item<T>>>;
type Pieces<T> = BTreeMap<u64, Arc<Piece<T>>>;

/// Items by offset.
pub(super) struct SnapshotMap<T> {
    pieces: Arc<Pieces<T>>,
    len: usize,
}

impl<T> SnapshotMap<T> {
    pub(super) fn new() -> Self {
        Self { pieces: Arc::default(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, offset: u64) -> Option<&Positioned<T>> {
        self.pieces.get(&(offset / SPAN))?.get(&offset).map(|item| &item.stamped)
    }

    /// Inserts an item, or replaces the item with the same offset.
    pub(super) fn insert(&mut self, stamped: Positioned<T>) {
        let offset = stamped.position.offset;
        let pieces = Arc::make_mut(&mut self.pieces);
        let piece = Arc::make_mut(pieces.entry(offset / SPAN).or_default());
        let item = Arc::new(Item { stamped, words: OnceLock::new() });
        if piece.insert(offset, item).is_none() {
            self.len += 1;
        }
    }

    /// Returns the offset of the oldest item.
    pub(super) fn first(&self) -> Option<u64> {
        self.pieces.values().find_map(|piece| piece.keys().next().copied())
    }

    /// Removes and returns the item at an offset.
    pub(super) fn remove(&mut self, offset: u64) -> Option<Arc<Item<T>>> {
        let pieces = Arc::make_mut(&mut self.pieces);
        let piece = Arc::make_mut(pieces.get_mut(&(offset / SPAN))?);
        let item = piece.remove(&offset);
        if piece.is_empty() {
            pieces.remove(&(offset / SPAN));
        }
        self.len -= usize::from(item.is_some());
        item
    }

    /// Returns a snapshot of all items.
    pub(super) fn snapshot(&self) -> Snapshot<T> {
        Snapshot(self.pieces.clone())
    }
}

/// The items at the time of the snapshot.
pub(super) struct Snapshot<T>(Arc<Pieces<T>>);

impl<T> Snapshot<T> {
    /// Returns the items whose offsets lie in `range`, in rising order; the iterator can be
    /// reversed.
    pub(super) fn range(
        &self,
        range: RangeInclusive<u64>,
    ) -> impl DoubleEndedIterator<Item = &Arc<Item<T>>> {
        // `BTreeMap::range` panics on a range that ends before it begins.
        let whole = (!range.is_empty()).then_some(range);
        whole.into_iter().flat_map(move |range| {
            let pieces = self.0.range(range.start() / SPAN..=range.end() / SPAN);
            pieces.flat_map(move |(_, piece)| piece.range(range.clone()).map(|(_, item)| item))
        })
    }
}
