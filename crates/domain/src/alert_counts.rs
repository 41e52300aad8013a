//! Number of alerts of each status and severity.

use crate::{Alert, Position, Severity, StatusKind};
use enum_map::EnumMap;

/// Counts of alerts by status and severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlertCounts(pub EnumMap<StatusKind, EnumMap<Severity, u64>>);

impl AlertCounts {
    /// Returns the number of alerts with this status and severity.
    pub fn count(&self, status: StatusKind, severity: Severity) -> u64 {
        self.0[status][severity]
    }

    /// Adds an alert to the count of its status and severity.
    pub fn add(&mut self, alert: &Alert) {
        let count = &mut self.0[alert.status.kind()][alert.severity];
        *count = count.saturating_add(1);
    }

    /// Removes an alert from the count of its status and severity.
    pub fn remove(&mut self, alert: &Alert) {
        self.remove_one(alert.status.kind(), alert.severity);
    }

    /// Subtracts one from the count of this status and severity.
    pub fn remove_one(&mut self, status: StatusKind, severity: Severity) {
        let count = &mut self.0[status][severity];
        *count = count.saturating_sub(1);
    }
}

/// Counts of all alerts, with the position of the log at which they are correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Position of the newest event that the counts include.
    pub position: Position,
    /// Counts by status and severity.
    pub counts: AlertCounts,
}
