//! The errors of a backup.

use crate::OpenError;
use std::io;
use std::path::PathBuf;

/// Why a backup failed. The source data is unchanged, and no existing file was overwritten.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The source folder contains no data that this version can read.
    #[error(transparent)]
    Data(#[from] OpenError),
    /// A file with the name of the backup, or of its `.partial` file, exists.
    #[error(
        "{} already exists and was not changed; move it away, or choose another name for the \
         backup",
        file.display()
    )]
    Exists {
        /// The existing file.
        file: PathBuf,
    },
    /// The store or SQLite uses the name of the backup for a file in the data folder.
    #[error(
        "{} is a name that the database uses for its own files; choose another name for the backup",
        file.display()
    )]
    OfTheData {
        /// The requested path of the backup.
        file: PathBuf,
    },
    /// Another backup to the same file is running.
    #[error(
        "another backup is writing {}; wait until it has finished, or choose another name for the \
         backup",
        file.display()
    )]
    InProgress {
        /// The `.partial` file of the other backup.
        file: PathBuf,
    },
    /// The operating system refused to write the copy.
    #[error("cannot write {}: {source}", file.display())]
    Write {
        /// The file that was being written.
        file: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// SQLite cannot read the data, or cannot write the copy.
    #[error("cannot copy {}: {source}; no backup was created", database.display())]
    Copy {
        /// The source database.
        database: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
}
