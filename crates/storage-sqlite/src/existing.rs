//! Opens existing data for reading, while a server runs or without write access to the folder.

use crate::OpenError;
use crate::database::connect_to_read;
use crate::folder::{beside, database_in, lock_in};
use crate::schema::{self, FileIdentity};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, absolute};
use url::Url;

/// A read-only connection to existing data.
pub(crate) struct ExistingData {
    pub(crate) connection: Connection,
    /// Version of the schema, at least 1, and at most the newest one that this program knows.
    pub(crate) schema: i64,
    /// Prevents a server from starting while data is read without SQLite's own locks.
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
            // A server was killed before it committed the tables.
            0 => Err(no_data()),
            schema => Ok(Self { connection, schema, _lock: lock }),
        }
    }
}

/// Reads the identity of the database. SQLite reports many problems of a file only at the first
/// read.
fn identified(connection: rusqlite::Result<Connection>) -> rusqlite::Result<Opened> {
    let connection = connection?;
    let marks = schema::identify(&connection)?;
    Ok((connection, marks))
}

/// Whether the error means that this process has no write access. Even a reader must create the
/// `-shm` file or open it for writing, because processes coordinate their access through this file.
fn cannot_write(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// Checks that no process has the database open and that all data is in the database file. No
/// server can start while the returned lock lives.
fn lock_out_writers(folder: &Path, file: &Path) -> Result<Option<File>, OpenError> {
    let unreadable = |file: &Path, source| OpenError::Unreadable { file: file.to_owned(), source };
    File::open(file).map_err(|source| unreadable(file, source))?;
    let log = beside(file, "-wal");
    let lock = match File::open(lock_in(folder)) {
        Ok(lock) => Some(lock),
        // The folder contains only a copy of the database, and no server has used the folder.
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

/// Opens a file that does not change while it is read (SQLite's `immutable`).
fn connect_immutable(file: &Path) -> rusqlite::Result<Connection> {
    let url = absolute(file).ok().and_then(|file| Url::from_file_path(file).ok());
    let mut url = url.ok_or_else(|| rusqlite::Error::InvalidPath(file.to_owned()))?;
    url.set_query(Some("immutable=1"));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(url.as_str(), flags)
}
