//! How many alerts there are of each status and severity.

use crate::{Alert, Position, Severity, StatusKind};
use enum_map::EnumMap;

/// Counts of alerts by status and severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlertCounts(pub EnumMap<StatusKind, EnumMap<Severity, u64>>);

impl AlertCounts {
    /// How many alerts there are of a status and a severity.
    pub fn count(&self, status: StatusKind, severity: Severity) -> u64 {
        self.0[status][severity]
    }

    /// Counts an alert.
    pub fn add(&mut self, alert: &Alert) {
        let count = &mut self.0[alert.status.kind()][alert.severity];
        *count = count.saturating_add(1);
    }

    /// Counts an alert no longer.
    pub fn remove(&mut self, alert: &Alert) {
        self.remove_one(alert.status.kind(), alert.severity);
    }

    /// Counts an alert of a status and a severity no longer.
    pub fn remove_one(&mut self, status: StatusKind, severity: Severity) {
        let count = &mut self.0[status][severity];
        *count = count.saturating_sub(1);
    }
}

/// The counts of all alerts, with the position of the log that they reflect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The newest event that the counts reflect.
    pub position: Position,
    /// The counts.
    pub counts: AlertCounts,
}
