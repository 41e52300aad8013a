//! Deadlines after which unresolved alerts are resolved automatically.

use crate::{Alert, Severity, Timestamp};
use enum_map::EnumMap;

/// The times that decide which unresolved alerts are overdue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Current time. An alert whose `expires_at` is at or before this time is overdue.
    pub now: Timestamp,
    /// Limit for each severity: an alert whose newest event is at or before this time is overdue.
    /// `None` means that alerts of the severity never become overdue by inactivity.
    pub quiet_since: EnumMap<Severity, Option<Timestamp>>,
}

/// Reason why an alert is overdue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    /// The `expires_at` of the alert has passed.
    Expired,
    /// The alert had no event for at least the time limit of its severity.
    Quiet,
}

impl Deadlines {
    /// Returns why the alert is overdue, or `None` if the alert is not overdue or already resolved.
    pub fn overdue(&self, alert: &Alert) -> Option<Overdue> {
        if alert.is_resolved() {
            None
        } else if alert.expires_at.is_some_and(|end| end <= self.now) {
            Some(Overdue::Expired)
        } else {
            let quiet = self.quiet_since[alert.severity];
            quiet.is_some_and(|since| alert.updated_at <= since).then_some(Overdue::Quiet)
        }
    }
}
