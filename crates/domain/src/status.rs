//! Where an alert stands: whether somebody has taken it on, and whether it is over.

use crate::named::named;
use crate::{Operator, Timestamp};

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// Who did it.
    pub by: Operator,
    /// When it was kept.
    pub at: Timestamp,
}

/// Where an alert stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Nobody has taken it on.
    Open,
    /// Somebody looks after it.
    Acknowledged(Attribution),
    /// It is over.
    Resolved {
        /// Who looked after it before, if anybody did.
        acknowledged: Option<Attribution>,
        /// Who ended it.
        resolved: Attribution,
    },
}

impl Status {
    /// The status without who and when.
    pub const fn kind(&self) -> StatusKind {
        match self {
            Self::Open => StatusKind::Open,
            Self::Acknowledged(_) => StatusKind::Acknowledged,
            Self::Resolved { .. } => StatusKind::Resolved,
        }
    }

    /// Who has taken the alert on, whether it is over by now or not.
    pub const fn acknowledged(&self) -> Option<&Attribution> {
        match self {
            Self::Open => None,
            Self::Acknowledged(mark) => Some(mark),
            Self::Resolved { acknowledged, .. } => acknowledged.as_ref(),
        }
    }

    /// Who has ended it, if it is over.
    pub const fn resolved(&self) -> Option<&Attribution> {
        match self {
            Self::Open | Self::Acknowledged(_) => None,
            Self::Resolved { resolved, .. } => Some(resolved),
        }
    }
}

named! {
    /// A status by its name.
    pub enum StatusKind {
        /// Nobody has taken the alert on.
        Open = "open",
        /// Somebody looks after it.
        Acknowledged = "acknowledged",
        /// It is over.
        Resolved = "resolved",
    }
}

impl StatusKind {
    /// Those of an alert that is not over.
    pub const UNRESOLVED: [Self; 2] = [Self::Open, Self::Acknowledged];
}
