//! Indexes of the alerts: for questions that must not cost a look at every alert.

use enum_map::EnumMap;
use northgate_domain::{Alert, AlertCounts, Deadlines, DedupKey, Positioned, Severity, Timestamp};
use std::collections::{BTreeSet, HashMap};

/// Offsets of alerts by what is asked of them.
#[derive(Default)]
pub(super) struct AlertIndex {
    pub(super) counts: AlertCounts,
    resolved: BTreeSet<u64>,
    /// Those that are not over, by the key of their repeats.
    open_keys: HashMap<DedupKey, BTreeSet<u64>>,
    /// Those that are not over and will expire.
    expiring: BTreeSet<(Timestamp, u64)>,
    /// Those that are not over, by when they had their newest event.
    quiet: EnumMap<Severity, BTreeSet<(Timestamp, u64)>>,
}

impl AlertIndex {
    /// Puts an alert where it stands.
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

    /// Takes an alert away from where it stands.
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

    /// At most `limit` of those that are to end, each once.
    pub(super) fn overdue(&self, deadlines: &Deadlines, limit: usize) -> Vec<u64> {
        let expired = self.expiring.range(..=(deadlines.now, u64::MAX));
        let quiet = self.quiet.iter().flat_map(|(severity, by_time)| {
            let since = deadlines.quiet_since[severity];
            since.into_iter().flat_map(|since| by_time.range(..=(since, u64::MAX)))
        });
        // An alert may be in both, and then it is there once.
        let offsets = expired.take(limit).chain(quiet.take(limit)).map(|(_, offset)| *offset);
        offsets.collect::<BTreeSet<_>>().into_iter().take(limit).collect()
    }
}
