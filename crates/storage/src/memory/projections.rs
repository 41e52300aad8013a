//! State that outlives the window of retained events: current alerts and the newest messages.

use super::alert_index::AlertIndex;
use super::snapshot_map::{Snapshot, SnapshotMap};
use northgate_domain::{
    Alert, AlertCounts, AlertEvent, AlertId, ChatMessage, Deadlines, DedupKey, Event, Positioned,
    evolve,
};
use std::collections::HashMap;

/// Retained alerts, by id and in the order in which they were raised.
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

    /// Returns the unresolved alerts with this key, the last raised one first.
    pub(super) fn open_by_key(&self, key: &DedupKey) -> impl Iterator<Item = &Positioned<Alert>> {
        self.index.with_open_key(key).rev().filter_map(|offset| self.by_raising.get(offset))
    }

    /// Returns at most `limit` overdue alerts.
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

    /// Applies an event to its alert. An unknown alert is created.
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

    /// Evicts alerts beyond the capacity: resolved ones first, then others; in both groups the
    /// oldest first.
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

/// The newest chat messages, up to `capacity`.
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

    /// Evicts the oldest messages beyond the capacity.
    pub(super) fn trim(&mut self) {
        while self.held.len() > self.capacity
            && self.held.first().and_then(|offset| self.held.remove(offset)).is_some()
        {}
    }
}
