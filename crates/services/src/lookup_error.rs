//! The error of queries on alerts and messages.

use northgate_storage::{QueryError, Unavailable};

/// Reasons why a lookup returned nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// A position in the query belongs to another log, or lies beyond the head of this one.
    #[error("the position does not belong to this log")]
    ForeignPosition,
    /// The store did not find the answer within its time limit.
    #[error("the query took too long")]
    TooSlow,
    /// The store cannot answer now.
    #[error("the store cannot answer now")]
    Unavailable,
}

impl From<QueryError> for LookupError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Foreign => Self::ForeignPosition,
            QueryError::TooSlow => Self::TooSlow,
            QueryError::Unavailable(Unavailable) => Self::Unavailable,
        }
    }
}

impl From<Unavailable> for LookupError {
    fn from(_: Unavailable) -> Self {
        Self::Unavailable
    }
}
