//! Why a folder cannot be opened: each in one line, for whoever started the server.

use std::io;
use std::path::PathBuf;

/// Why there is no store. Whatever was in the folder is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made, or nothing can be written into it.
    #[error("cannot keep data in {}: {source}", folder.display())]
    Folder {
        /// The folder that was asked for.
        folder: PathBuf,
        /// Why the system said no.
        source: io::Error,
    },
    /// Somebody else has it open.
    #[error("the data in {} is in use by another process", folder.display())]
    InUse {
        /// The folder that was asked for.
        folder: PathBuf,
    },
    /// There is nothing that could be read.
    #[error("there is no data in {} yet", folder.display())]
    NoData {
        /// The folder that was asked for.
        folder: PathBuf,
    },
    /// The system does not let this process read a file.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why the system said no.
        source: io::Error,
    },
    /// Others use the database, or were killed while they did, and this process cannot share their
    /// write-ahead log.
    #[error(
        "{} cannot be read together with its write-ahead log {}, since this process cannot write \
         beside them; run this as the user of the server, or on a copy of both files",
        file.display(), log.display()
    )]
    SharedLog {
        /// The database.
        file: PathBuf,
        /// Its write-ahead log.
        log: PathBuf,
    },
    /// An import was stopped, or is at work; there is no database yet.
    #[error(
        "an import into {} has not finished: if none is running, import again, or remove {}",
        folder.display(), file.display()
    )]
    UnfinishedImport {
        /// The folder that was asked for.
        folder: PathBuf,
        /// What the import has written.
        file: PathBuf,
    },
    /// There was a database, and it is missing or empty.
    #[error(
        "{} is missing or empty, and there was one; put it back or restore a backup. To begin \
         without the old data, remove northgate.lock beside it",
        file.display()
    )]
    DatabaseGone {
        /// Where the database was.
        file: PathBuf,
    },
    /// A file was cut off under a server, and what it held is gone.
    #[error(
        "the data in {} was truncated while a server used it, and some of it is lost; restore a \
         backup into a new folder. To go on with what is left, remove northgate.lock in it",
        folder.display()
    )]
    DataLost {
        /// The folder that was asked for.
        folder: PathBuf,
    },
    /// The file is something else.
    #[error("{} is no database of Northgate; it was left as it is", file.display())]
    NotOurs {
        /// The file that is in the way.
        file: PathBuf,
    },
    /// A newer program has made changes that this one does not know.
    #[error(
        "{} was written by a newer Northgate (schema {found}, and this one knows {known}); \
         it was left as it is",
        file.display()
    )]
    Newer {
        /// The database.
        file: PathBuf,
        /// The version of its schema.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// SQLite cannot open it.
    #[error("cannot open {}: {source}", file.display())]
    Database {
        /// The database.
        file: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// No thread to be had.
    #[error("cannot start the threads of the store: {0}")]
    Threads(#[source] io::Error),
}
