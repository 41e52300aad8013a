//! Why there is no backup.

use crate::OpenError;
use std::io;
use std::path::PathBuf;

/// Why there is no backup. The data is as it was, and no file was made or changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no data of this program to copy.
    #[error(transparent)]
    Data(#[from] OpenError),
    /// Something has the name that the backup was to get.
    #[error("{} is there already; it was left as it is", file.display())]
    Exists {
        /// What is in the way.
        file: PathBuf,
    },
    /// The database would take the backup for a file of its own.
    #[error("{} is a name for files of the data itself; give the backup another one", file.display())]
    OfTheData {
        /// The file that the backup was to be.
        file: PathBuf,
    },
    /// Another backup to the same file is at work.
    #[error("another backup is writing {}; wait for it, or name another file", file.display())]
    InProgress {
        /// The file that the other one writes.
        file: PathBuf,
    },
    /// The copy cannot be written where it was to be.
    #[error("cannot write {}: {source}", file.display())]
    Write {
        /// The file that was being written.
        file: PathBuf,
        /// Why the system said no.
        source: io::Error,
    },
    /// SQLite cannot read the data, or cannot write the copy.
    #[error("cannot copy {}: {source}", database.display())]
    Copy {
        /// The database that was to be copied.
        database: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}
