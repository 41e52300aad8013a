//! The status of an alert: open, acknowledged or resolved.

use crate::named::named;
use crate::{Operator, Timestamp};

/// Operator and time of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// Operator who made the change.
    pub by: Operator,
    /// Time of the event.
    pub at: Timestamp,
}

/// Status of an alert, with the operators who acknowledged and resolved the alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// No operator owns the alert.
    Open,
    /// An operator owns the alert.
    Acknowledged(Attribution),
    /// The alert is closed.
    Resolved {
        /// Owner of the alert before it was resolved, if it had an owner.
        acknowledged: Option<Attribution>,
        /// Operator who resolved the alert.
        resolved: Attribution,
    },
}

impl Status {
    /// Returns the status without operators and times.
    pub const fn kind(&self) -> StatusKind {
        match self {
            Self::Open => StatusKind::Open,
            Self::Acknowledged(_) => StatusKind::Acknowledged,
            Self::Resolved { .. } => StatusKind::Resolved,
        }
    }

    /// Returns who acknowledged the alert, and when. A resolved alert still contains this
    /// information.
    pub const fn acknowledged(&self) -> Option<&Attribution> {
        match self {
            Self::Open => None,
            Self::Acknowledged(mark) => Some(mark),
            Self::Resolved { acknowledged, .. } => acknowledged.as_ref(),
        }
    }

    /// Returns who resolved the alert, and when, if the alert is resolved.
    pub const fn resolved(&self) -> Option<&Attribution> {
        match self {
            Self::Open | Self::Acknowledged(_) => None,
            Self::Resolved { resolved, .. } => Some(resolved),
        }
    }
}

named! {
    /// A status without operators and times.
    pub enum StatusKind {
        /// No operator owns the alert.
        Open = "open",
        /// An operator owns the alert.
        Acknowledged = "acknowledged",
        /// The alert is closed.
        Resolved = "resolved",
    }
}

impl StatusKind {
    /// Statuses of an alert that is not resolved.
    pub const UNRESOLVED: [Self; 2] = [Self::Open, Self::Acknowledged];
}
