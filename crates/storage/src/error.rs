//! Why a store did not append, or gave no answer.

use crate::Rejection;
use northgate_domain::Position;

/// Why nothing was appended, or why that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// One submission was refused, and so none was kept.
    #[error("submission {index} was refused")]
    Rejected {
        /// Which one, counted from 0.
        index: usize,
        /// Why.
        #[source]
        rejection: Rejection,
    },
    /// The store takes no events now; nothing was kept.
    #[error("the store takes no events now; nothing was kept")]
    Unavailable,
    /// The store failed so late that the events may or may not have been kept.
    #[error(
        "the store failed while it was keeping the events; send them again with the same key to be sure"
    )]
    OutcomeUnknown,
}

/// Why no events could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The events asked for are not all held.
    #[error("the log does not hold every event after this position")]
    Gap {
        /// The smallest position that still reads: the one of the newest trimmed event, or the
        /// start of the log if none was trimmed.
        oldest: Position,
        /// The head of the log.
        latest: Position,
    },
    /// The store cannot read now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The store cannot answer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store cannot answer now")]
pub struct Unavailable;

/// Why there is no page of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A position in the query is of another log, or lies beyond the head of this one.
    #[error("the position is not of this log")]
    Foreign,
    /// The answer was not found in time.
    #[error("the query took too long")]
    TooSlow,
    /// The store cannot answer now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
