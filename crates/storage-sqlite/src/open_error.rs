//! The errors of opening a data folder, each with a one-line text for the administrator.

use std::io;
use std::path::PathBuf;

/// Why a data folder cannot be opened. The existing data is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be created, or this process cannot write into it.
    #[error("cannot store data in {}: {source}", folder.display())]
    Folder {
        /// The requested folder.
        folder: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A server or a maintenance command has locked the folder.
    #[error(
        "the data in {} is in use by another process; stop that process, or use another folder",
        folder.display()
    )]
    InUse {
        /// The requested folder.
        folder: PathBuf,
    },
    /// The folder contains no data.
    #[error(
        "{}/northgate.db does not exist or contains no data; check the path of the data folder",
        folder.display()
    )]
    NoData {
        /// The requested folder.
        folder: PathBuf,
    },
    /// The operating system does not let this process read a file.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// The unreadable file.
        file: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Another process uses the database, or was killed while it used the database. This process
    /// needs the write-ahead log, but cannot use it without write access.
    #[error(
        "cannot read {} together with its write-ahead log {}, because this process has no write \
         access to them; run this command as the server's user, or on a copy of both files",
        file.display(), log.display()
    )]
    SharedLog {
        /// The database.
        file: PathBuf,
        /// The write-ahead log of the database.
        log: PathBuf,
    },
    /// An import was interrupted or is still running, so there is no database yet.
    #[error(
        "the import into {} has not finished; if it is not running, start it again, or remove {}",
        folder.display(), file.display()
    )]
    UnfinishedImport {
        /// The requested folder.
        folder: PathBuf,
        /// The incomplete database that the import has written.
        file: PathBuf,
    },
    /// The database that the folder contained is now missing or empty.
    #[error(
        "{} is missing or empty, but it contained data before; put the file back, or restore a \
         backup. To start without the old data, remove northgate.lock in the same folder",
        file.display()
    )]
    DatabaseGone {
        /// Path of the missing database.
        file: PathBuf,
    },
    /// A file was truncated while a server used it, and data is lost.
    #[error(
        "a data file in {} was truncated while a server used it, and some events are lost; \
         restore a backup into a new folder. To continue with the remaining data, remove \
         northgate.lock in the old folder",
        folder.display()
    )]
    DataLost {
        /// The requested folder.
        folder: PathBuf,
    },
    /// The file does not belong to Northgate.
    #[error(
        "{} is not a Northgate database, and it was not changed; use another folder, or restore a \
         backup",
        file.display()
    )]
    NotOurs {
        /// The file with the name of the database.
        file: PathBuf,
    },
    /// A newer version of Northgate changed the schema in a way that this version does not know.
    #[error(
        "{} was written by a newer version of Northgate, and it was not changed (it has schema \
         {found}; this version supports at most {known}); use the newer version",
        file.display()
    )]
    Newer {
        /// The database.
        file: PathBuf,
        /// Version of its schema.
        found: i64,
        /// Newest version of the schema that this program knows.
        known: i64,
    },
    /// SQLite cannot open the database.
    #[error("cannot open {}: {source}", file.display())]
    Database {
        /// The database.
        file: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// The operating system refused to start a thread.
    #[error("cannot start the threads of the store: {0}")]
    Threads(#[source] io::Error),
}
