//! Looking through the items of one moment for a part of a history, without the store's lock.

use super::shelf::{Item, View};
use crate::{HistoryRange, QueryError, Snapshot};
use northgate_domain::{Position, Search, SearchText, Stamped};
use std::sync::Arc;

/// How many items are looked at before others get their turn on this thread.
const TURN: usize = 256;

/// What is looked at, and for what.
pub(super) struct Look<T, F> {
    /// The newest event that the items reflect.
    pub(super) head: Position,
    pub(super) view: View<T>,
    pub(super) range: HistoryRange,
    pub(super) search: Search,
    /// The words of an item.
    pub(super) words: fn(&T) -> SearchText,
    /// Whether an item matches, but for its words.
    pub(super) admits: F,
}

impl<T: Clone + Send + Sync, F: Fn(&T) -> bool + Send + Sync> Look<T, F> {
    /// The part that was asked for.
    pub(super) async fn through(self) -> Result<Snapshot<Stamped<T>>, QueryError> {
        let walk = self.range.walk(self.head)?;
        let way = self.view.range(walk.offsets.clone());
        let found = if walk.upwards {
            self.take(way, walk.wanted()).await
        } else {
            self.take(way.rev(), walk.wanted()).await
        };
        let beyond = self.take(self.view.range(walk.beyond.clone()).rev(), 1).await;
        let found = found.into_iter().map(|item| item.stamped.clone()).collect();
        Ok(walk.end(found, !beyond.is_empty()))
    }

    /// The first `wanted` of `items` that match.
    async fn take<'a>(
        &'a self,
        items: impl Iterator<Item = &'a Arc<Item<T>>> + Send,
        wanted: usize,
    ) -> Vec<&'a Arc<Item<T>>>
    where
        T: 'a,
    {
        let mut found = Vec::new();
        for (count, item) in items.enumerate() {
            if found.len() == wanted {
                break;
            }
            if (self.admits)(&item.stamped.value)
                && (self.search.is_empty() || self.search.matches(item.words(self.words)))
            {
                found.push(item);
            }
            if count % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
        found
    }
}
