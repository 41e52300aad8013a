//! Opens existing data to read it: beside a server, or in a folder that this process cannot write.

use crate::OpenError;
use crate::database::connect_to_read;
use crate::folder::{beside, database_in, lock_in};
use crate::schema::{self, FileIdentity};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, absolute};
use url::Url;

/// A connection that changes nothing.
pub(crate) struct ExistingData {
    pub(crate) connection: Connection,
    /// The version of the tables, from 1 on. It may be older than this program.
    pub(crate) schema: i64,
    /// Keeps servers away while data is read without SQLite's own locks.
    _lock: Option<File>,
}

type Opened = (Connection, FileIdentity);

impl ExistingData {
    pub(crate) fn open(folder: &Path) -> Result<Self, OpenError> {
        let file = database_in(folder);
        let no_data = || OpenError::NoData { folder: folder.to_owned() };
        match file.metadata() {
            Ok(found) if found.len() > 0 => {}
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(OpenError::Unreadable { file, source });
            }
            _ => {
                schema::no_unfinished_import(&file)?;
                return Err(no_data());
            }
        }
        let (opened, lock) = match identified(connect_to_read(&file)) {
            Err(error) if cannot_write(&error) => {
                let lock = lock_out_writers(folder, &file)?;
                (identified(connect_immutable(&file)), lock)
            }
            opened => (opened, None),
        };
        let (connection, marks) = opened.map_err(|error| schema::refused(&file, error))?;
        match schema::accepted(&file, &marks)? {
            // Its tables were never committed.
            0 => Err(no_data()),
            schema => Ok(Self { connection, schema, _lock: lock }),
        }
    }
}

/// Only reading tells whether SQLite can work with the file.
fn identified(connection: rusqlite::Result<Connection>) -> rusqlite::Result<Opened> {
    let connection = connection?;
    let marks = schema::identify(&connection)?;
    Ok((connection, marks))
}

/// Even to read, SQLite wants to create or open for writing the `-shm` file through which the
/// users of a database know of each other.
fn cannot_write(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// Makes sure that no process has the database open and that all of it is in its one file, and keeps
/// servers out for as long as the lock that it returns lives.
fn lock_out_writers(folder: &Path, file: &Path) -> Result<Option<File>, OpenError> {
    let unreadable = |file: &Path, source| OpenError::Unreadable { file: file.to_owned(), source };
    File::open(file).map_err(|source| unreadable(file, source))?;
    let log = beside(file, "-wal");
    let lock = match File::open(lock_in(folder)) {
        Ok(lock) => Some(lock),
        // A copy of the database alone, which no server has used.
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(unreadable(&lock_in(folder), source)),
    };
    match lock.as_ref().map_or(Ok(()), File::try_lock_shared) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(OpenError::SharedLog { file: file.to_owned(), log });
        }
        Err(TryLockError::Error(source)) => return Err(unreadable(&lock_in(folder), source)),
    }
    let has_log = log.metadata().is_ok_and(|found| found.len() > 0);
    if has_log || beside(file, "-shm").exists() {
        return Err(OpenError::SharedLog { file: file.to_owned(), log });
    }
    Ok(lock)
}

/// A connection to a file that does not change while it is read (SQLite's `immutable`).
fn connect_immutable(file: &Path) -> rusqlite::Result<Connection> {
    let url = absolute(file).ok().and_then(|file| Url::from_file_path(file).ok());
    let mut url = url.ok_or_else(|| rusqlite::Error::InvalidPath(file.to_owned()))?;
    url.set_query(Some("immutable=1"));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(url.as_str(), flags)
}
