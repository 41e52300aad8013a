//! Items by the offset where they began, in pieces that snapshots share: a snapshot takes no time
//! under the store's lock, and a change after it changes a copy of one piece.

use northgate_domain::{Positioned, SearchText};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

/// How many offsets one piece spans: the most items that are copied when an item changes that a
/// snapshot shares.
const SPAN: u64 = 512;

/// One item, and its words since the first search that looked at it.
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

    /// Inserts an item, in place of one with the same offset.
    pub(super) fn insert(&mut self, stamped: Positioned<T>) {
        let offset = stamped.position.offset;
        let pieces = Arc::make_mut(&mut self.pieces);
        let piece = Arc::make_mut(pieces.entry(offset / SPAN).or_default());
        let item = Arc::new(Item { stamped, words: OnceLock::new() });
        if piece.insert(offset, item).is_none() {
            self.len += 1;
        }
    }

    /// The offset of the oldest item.
    pub(super) fn first(&self) -> Option<u64> {
        self.pieces.values().find_map(|piece| piece.keys().next().copied())
    }

    /// Removes an item.
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

    /// All items as they are now.
    pub(super) fn snapshot(&self) -> Snapshot<T> {
        Snapshot(self.pieces.clone())
    }
}

/// The items of one moment.
pub(super) struct Snapshot<T>(Arc<Pieces<T>>);

impl<T> Snapshot<T> {
    /// The items whose offsets lie in `range`, in rising order or from its end.
    pub(super) fn range(
        &self,
        range: RangeInclusive<u64>,
    ) -> impl DoubleEndedIterator<Item = &Arc<Item<T>>> {
        // A range that ends before it begins is none to a map.
        let whole = (!range.is_empty()).then_some(range);
        whole.into_iter().flat_map(move |range| {
            let pieces = self.0.range(range.start() / SPAN..=range.end() / SPAN);
            pieces.flat_map(move |(_, piece)| piece.range(range.clone()).map(|(_, item)| item))
        })
    }
}
