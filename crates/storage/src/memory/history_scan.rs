//! A scan of a snapshot for one page of a history, without the store's lock.

use super::snapshot_map::{Item, Snapshot};
use crate::{PageBuilder, QueryError, ScanPlan};
use northgate_domain::{HistoryPage, HistoryRange, Position, Search, SearchText};
use std::sync::Arc;

/// Number of items that a scan examines before it yields to other tasks on its thread.
const TURN: usize = 256;

/// A scan with its conditions.
pub(super) struct HistoryScan<T, F> {
    /// Position of the newest event that the snapshot reflects.
    pub(super) head: Position,
    pub(super) snapshot: Snapshot<T>,
    pub(super) range: HistoryRange,
    pub(super) search: Search,
    /// Returns the searchable words of an item.
    pub(super) words: fn(&T) -> SearchText,
    /// Returns the approximate size of an item in bytes.
    pub(super) bytes: fn(&T) -> usize,
    /// Whether an item matches all conditions except the search.
    pub(super) admits: F,
}

impl<T: Clone + Send + Sync, F: Fn(&T) -> bool + Send + Sync> HistoryScan<T, F> {
    /// Returns the page that the range requests.
    pub(super) async fn run(self) -> Result<HistoryPage<T>, QueryError> {
        let plan = ScanPlan::new(&self.range, self.head)?;
        let items = self.snapshot.range(plan.offsets.clone());
        let (mut page, mut beyond) = (plan.page(), plan.probe());
        if plan.upwards {
            self.fill(&mut page, items).await;
        } else {
            self.fill(&mut page, items.rev()).await;
        }
        self.fill(&mut beyond, self.snapshot.range(plan.beyond.clone()).rev()).await;
        Ok(plan.end(page, beyond.may_go_on()))
    }

    /// Adds the matching `items`, up to the limits of the page and of the scan.
    async fn fill<'a>(
        &'a self,
        page: &mut PageBuilder<T>,
        items: impl Iterator<Item = &'a Arc<Item<T>>> + Send,
    ) where
        T: 'a,
    {
        let mut last = None;
        for (count, item) in items.enumerate() {
            if let (true, Some(last)) = (count >= self.range.max_scanned, last) {
                page.stop_at(last);
                return;
            }
            let Item { stamped, .. } = item.as_ref();
            let matches = (self.admits)(&stamped.value)
                && (self.search.is_empty() || self.search.matches(item.words(self.words)));
            if matches && !page.push(stamped.clone(), (self.bytes)(&stamped.value)) {
                return;
            }
            last = Some(stamped.position.offset);
            if count % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
    }
}
