//! What outlives the window of events: the alerts as they stand, and the newest messages.

use super::alert_index::AlertIndex;
use super::snapshot_map::{Snapshot, SnapshotMap};
use northgate_domain::{
    Alert, AlertCounts, AlertEvent, AlertId, ChatMessage, Deadlines, DedupKey, Event, Positioned,
    evolve,
};
use std::collections::HashMap;

/// The alerts that are held, each by its id and in the order of raising.
pub(super) struct Alerts {
    capacity: usize,
    by_raising: SnapshotMap<Alert>,
    raised_at: HashMap<AlertId, u64>,
    index: AlertIndex,
    pub(super) evicted: u64,
}

impl Alerts {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            by_raising: SnapshotMap::new(),
            raised_at: HashMap::new(),
            index: AlertIndex::default(),
            evicted: 0,
        }
    }

    pub(super) fn get(&self, id: AlertId) -> Option<&Positioned<Alert>> {
        self.by_raising.get(*self.raised_at.get(&id)?)
    }

    /// The alerts with this key that are not over, the last one raised first.
    pub(super) fn open_by_key(&self, key: &DedupKey) -> impl Iterator<Item = &Positioned<Alert>> {
        self.index.with_open_key(key).rev().filter_map(|offset| self.by_raising.get(offset))
    }

    /// At most `limit` of those that are to end.
    pub(super) fn overdue(&self, deadlines: &Deadlines, limit: usize) -> Vec<Positioned<Alert>> {
        let offsets = self.index.overdue(deadlines, limit).into_iter();
        offsets.filter_map(|offset| self.by_raising.get(offset).cloned()).collect()
    }

    pub(super) fn counts(&self) -> AlertCounts {
        self.index.counts
    }

    pub(super) fn snapshot(&self) -> Snapshot<Alert> {
        self.by_raising.snapshot()
    }

    /// Lets one event of an alert happen. An alert that is not held begins here.
    pub(super) fn apply(&mut self, event: &Positioned<Event>) {
        let Event::Alert(AlertEvent { alert, .. }) = &event.value else {
            return;
        };
        let held = self.get(alert.id).cloned();
        if let Some(held) = &held {
            self.index.remove(held);
        }
        let position = held.as_ref().map_or(event.position, |held| held.position);
        let Some(value) = evolve(held.map(|held| held.value), &event.value) else {
            return;
        };
        self.raised_at.insert(value.id, position.offset);
        let stamped = Positioned { position, value };
        self.index.insert(&stamped);
        self.by_raising.insert(stamped);
    }

    /// Lets go what there is too much of: what is over before what is not, the oldest first.
    pub(super) fn trim(&mut self) {
        while self.by_raising.len() > self.capacity {
            let first = self.index.first_resolved().or_else(|| self.by_raising.first());
            let Some(item) = first.and_then(|offset| self.by_raising.remove(offset)) else {
                return;
            };
            self.index.remove(&item.stamped);
            self.raised_at.remove(&item.stamped.value.id);
            self.evicted += 1;
        }
    }
}

/// The newest chat messages.
pub(super) struct Messages {
    capacity: usize,
    held: SnapshotMap<ChatMessage>,
}

impl Messages {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, held: SnapshotMap::new() }
    }

    pub(super) fn snapshot(&self) -> Snapshot<ChatMessage> {
        self.held.snapshot()
    }

    pub(super) fn apply(&mut self, event: &Positioned<Event>) {
        let Event::Chat(message) = &event.value else {
            return;
        };
        self.held.insert(Positioned { position: event.position, value: message.clone() });
    }

    /// Lets the oldest go while there is too much.
    pub(super) fn trim(&mut self) {
        while self.held.len() > self.capacity
            && self.held.first().and_then(|offset| self.held.remove(offset)).is_some()
        {}
    }
}
