//! Errors of appends, reads and queries.

use crate::Rejection;
use northgate_domain::Position;

/// Reasons why an append stored nothing, or may have stored nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// One submission was refused, so none was stored.
    #[error("submission {index} was refused")]
    Rejected {
        /// Index of the refused submission in the vector, from 0.
        index: usize,
        /// Reason of the refusal.
        #[source]
        rejection: Rejection,
    },
    /// The store does not accept events now; nothing was stored.
    #[error("the store does not accept events now; nothing was stored")]
    Unavailable,
    /// The store failed so late that the events may or may not have been stored.
    #[error(
        "the store failed during the write and may have stored the events; \
         send them again with the same key"
    )]
    OutcomeUnknown,
}

/// Reasons why events could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The position is not in this log, or some requested events are no longer retained.
    #[error("the position is not in this log, or events after it are no longer retained")]
    Gap {
        /// Smallest position after which all events can still be read. This is the position of the
        /// newest trimmed event, or the start of the log if no event was trimmed.
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

/// Reasons why a query returned no page of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A position in the query belongs to another log, or lies beyond the head of this one.
    #[error("the position does not belong to this log")]
    Foreign,
    /// The store did not find the answer within its time limit.
    #[error("the query took too long")]
    TooSlow,
    /// The store cannot answer now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
