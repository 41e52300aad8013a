//! Why an export is not whole.

use crate::OpenError;
use crate::database::DatabaseError;
use northgate_storage::codec::CodecError;
use std::io;
use std::time::Duration;

/// Why an export is not whole.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no data of this program.
    #[error(transparent)]
    Data(#[from] OpenError),
    /// The data cannot be read.
    #[error("cannot read the data: {0}")]
    Read(String),
    /// The lines cannot be written.
    #[error("cannot write: {0}")]
    Write(#[source] io::Error),
    /// The consumer took nothing for too long.
    #[error(
        "the export ended early: nobody took any of it for {} s, and meanwhile the server cannot \
         reuse its write-ahead log; write to a file on a fast disk, or use `backup`",
        after.as_secs()
    )]
    Stalled {
        /// So long the export waited.
        after: Duration,
    },
    /// The consumer is too slow for what a server writes.
    #[error(
        "the export ended early: the server's write-ahead log has grown by {} MiB, since it cannot \
         be reused during an export; write to a file on a fast disk, or use `backup`",
        bytes / (1024 * 1024)
    )]
    LogGrew {
        /// So much longer the log is than it was when the export began.
        bytes: u64,
    },
}

impl From<DatabaseError> for ExportError {
    fn from(error: DatabaseError) -> Self {
        Self::Read(error.to_string())
    }
}

impl From<rusqlite::Error> for ExportError {
    fn from(error: rusqlite::Error) -> Self {
        DatabaseError::from(error).into()
    }
}

impl From<CodecError> for ExportError {
    fn from(error: CodecError) -> Self {
        DatabaseError::from(error).into()
    }
}
