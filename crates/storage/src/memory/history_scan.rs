//! Looking through the items of one moment for a part of a history, without the store's lock.

use super::shelf::{Item, View};
use crate::{HistoryRange, Part, QueryError, Snapshot};
use northgate_domain::{Position, Positioned, Search, SearchText};
use std::sync::Arc;

/// How many items are looked at before others get their turn on this thread.
const TURN: usize = 256;

/// What is looked at, and for what.
pub(super) struct HistoryScan<T, F> {
    /// The newest event that the items reflect.
    pub(super) head: Position,
    pub(super) view: View<T>,
    pub(super) range: HistoryRange,
    pub(super) search: Search,
    /// The words of an item.
    pub(super) words: fn(&T) -> SearchText,
    /// The size of an item.
    pub(super) bytes: fn(&T) -> usize,
    /// Whether an item matches, but for its words.
    pub(super) admits: F,
}

impl<T: Clone + Send + Sync, F: Fn(&T) -> bool + Send + Sync> HistoryScan<T, F> {
    /// The part that was asked for.
    pub(super) async fn through(self) -> Result<Snapshot<Positioned<T>>, QueryError> {
        let walk = self.range.walk(self.head)?;
        let way = self.view.range(walk.offsets.clone());
        let (mut found, mut beyond) = (walk.part(), walk.probe());
        if walk.upwards {
            self.fill(&mut found, way).await;
        } else {
            self.fill(&mut found, way.rev()).await;
        }
        self.fill(&mut beyond, self.view.range(walk.beyond.clone()).rev()).await;
        Ok(walk.end(found, beyond.may_go_on()))
    }

    /// Adds the `items` that match, up to the limits of the part and of the scan.
    async fn fill<'a>(
        &'a self,
        part: &mut Part<Positioned<T>>,
        items: impl Iterator<Item = &'a Arc<Item<T>>> + Send,
    ) where
        T: 'a,
    {
        let mut last = None;
        for (count, item) in items.enumerate() {
            if let (true, Some(last)) = (count >= self.range.max_scanned, last) {
                part.stop_at(last);
                return;
            }
            let Item { stamped, .. } = item.as_ref();
            let matches = (self.admits)(&stamped.value)
                && (self.search.is_empty() || self.search.matches(item.words(self.words)));
            if matches && !part.push(stamped.clone(), (self.bytes)(&stamped.value)) {
                return;
            }
            last = Some(stamped.position.offset);
            if count % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
    }
}
