//! Why a lookup gave nothing.

use northgate_storage::{QueryError, Unavailable};

/// Why a lookup gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// A position in the query is of another log, or lies beyond the head of this one.
    #[error("the position is not of this log")]
    ForeignPosition,
    /// The answer was not found in time.
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
