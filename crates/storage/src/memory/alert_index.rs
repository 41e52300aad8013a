//! Indexes of the alerts, for queries that must not read every alert.

use enum_map::EnumMap;
use northgate_domain::{Alert, AlertCounts, Deadlines, DedupKey, Positioned, Severity, Timestamp};
use std::collections::{BTreeSet, HashMap};

/// Offsets of alerts, by the fields that queries use.
#[derive(Default)]
pub(super) struct AlertIndex {
    pub(super) counts: AlertCounts,
    resolved: BTreeSet<u64>,
    /// Unresolved alerts by dedup key.
    open_keys: HashMap<DedupKey, BTreeSet<u64>>,
    /// Unresolved alerts with an expiry time.
    expiring: BTreeSet<(Timestamp, u64)>,
    /// Unresolved alerts by severity and the time of their newest event.
    quiet: EnumMap<Severity, BTreeSet<(Timestamp, u64)>>,
}

impl AlertIndex {
    /// Adds an alert; `alert` is its current state.
    pub(super) fn insert(&mut self, alert: &Positioned<Alert>) {
        let Positioned { position, value: alert } = alert;
        let offset = position.offset;
        self.counts.add(alert);
        if alert.is_resolved() {
            self.resolved.insert(offset);
            return;
        }
        self.quiet[alert.severity].insert((alert.updated_at, offset));
        if let Some(key) = alert.open_key() {
            self.open_keys.entry(key.clone()).or_default().insert(offset);
        }
        if let Some(end) = alert.expires_at {
            self.expiring.insert((end, offset));
        }
    }

    /// Removes an alert; `alert` must be the state that was added.
    pub(super) fn remove(&mut self, alert: &Positioned<Alert>) {
        let Positioned { position, value: alert } = alert;
        let offset = position.offset;
        self.counts.remove(alert);
        self.resolved.remove(&offset);
        self.quiet[alert.severity].remove(&(alert.updated_at, offset));
        if let Some(key) = alert.open_key()
            && let Some(offsets) = self.open_keys.get_mut(key)
        {
            offsets.remove(&offset);
            if offsets.is_empty() {
                self.open_keys.remove(key);
            }
        }
        if let Some(end) = alert.expires_at {
            self.expiring.remove(&(end, offset));
        }
    }

    pub(super) fn first_resolved(&self) -> Option<u64> {
        self.resolved.first().copied()
    }

    pub(super) fn with_open_key(&self, key: &DedupKey) -> impl DoubleEndedIterator<Item = u64> {
        self.open_keys.get(key).into_iter().flatten().copied()
    }

    /// Returns at most `limit` overdue alerts, each once.
    pub(super) fn overdue(&self, deadlines: &Deadlines, limit: usize) -> Vec<u64> {
        let expired = self.expiring.range(..=(deadlines.now, u64::MAX));
        let quiet = self.quiet.iter().flat_map(|(severity, by_time)| {
            let since = deadlines.quiet_since[severity];
            since.into_iter().flat_map(|since| by_time.range(..=(since, u64::MAX)))
        });
        // An alert can be in both lists; the set contains it once.
        let offsets = expired.take(limit).chain(quiet.take(limit)).map(|(_, offset)| *offset);
        offsets.collect::<BTreeSet<_>>().into_iter().take(limit).collect()
    }
}
