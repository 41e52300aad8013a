//! The errors of an export.

use crate::OpenError;
use crate::database::DatabaseError;
use northgate_storage::codec::CodecError;
use std::io;
use std::time::Duration;

/// Why an export is incomplete.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The folder contains no data that this version can read.
    #[error(transparent)]
    Data(#[from] OpenError),
    /// The data cannot be read.
    #[error("cannot read the data: {0}")]
    Read(String),
    /// The lines cannot be written.
    #[error("cannot write the export: {0}")]
    Write(#[source] io::Error),
    /// The consumer read nothing for too long.
    #[error(
        "the export ended early: its consumer read nothing for {} s, and the server cannot reuse \
         its write-ahead log during an export; write to a file on a fast disk, or use `backup`",
        after.as_secs()
    )]
    Stalled {
        /// How long the export waited.
        after: Duration,
    },
    /// The consumer reads too slowly, and the server wrote too much during the export.
    #[error(
        "the export ended early: the server's write-ahead log grew by {} MiB, because it cannot be \
         reused during an export; write to a file on a fast disk, or use `backup`",
        bytes / (1024 * 1024)
    )]
    LogGrew {
        /// Growth of the write-ahead log in bytes since the export began.
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
