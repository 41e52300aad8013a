//! When alerts end by themselves.

use crate::{Alert, Severity, Timestamp};
use enum_map::EnumMap;

/// The moments at which alerts that are not over are to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// The present: what expires at this moment, or expired before, is to end.
    pub now: Timestamp,
    /// By severity: an alert that had its newest event at this moment, or before, is
    /// to end.
    pub quiet_since: EnumMap<Severity, Option<Timestamp>>,
}

/// Why an alert is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overdue {
    /// It was raised with an end.
    Expired,
    /// Nothing has happened to it for as long as one of its severity may wait.
    Quiet,
}

impl Deadlines {
    /// Why an alert is to end, if it is.
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
