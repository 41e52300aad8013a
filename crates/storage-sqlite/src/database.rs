//! Connections, and how numbers stand in the database.

use northgate_storage::codec::CodecError;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// How many prepared statements a connection keeps: all that it has.
const STATEMENTS: usize = 64;
/// After so many pages of 4 KiB the write-ahead log is brought into the database. A page that
/// changes again and again meanwhile, as those of indices do, is then written there but once.
const CHECKPOINT_PAGES: i64 = 4_000;
/// The write-ahead log is cut back to this after a burst has made it longer.
const WAL_BYTES: i64 = 64 * 1024 * 1024;
/// What the writer keeps of the database in memory, in KiB (negative by SQLite's convention). Ids
/// are random, so each touches another page of its index.
const WRITER_CACHE_KIB: i64 = -32 * 1024;

/// Why the database did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    /// SQLite says no.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Something in it is not what was written.
    #[error("a record cannot be read: {0}")]
    Record(#[from] CodecError),
    /// Another file, or an older state of it, has come in the place of ours.
    #[error("the database is not the one that was opened")]
    Replaced,
}

/// A connection for the writer; `more` says whether it may make the file.
pub(crate) fn connect_to_write(file: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags | more)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Every commit is on disk before it is answered: in this mode the log is synced each time.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES)?;
    connection.pragma_update(None, "cache_size", WRITER_CACHE_KIB)?;
    Ok(connection)
}

/// A connection that changes nothing.
pub(crate) fn connect_to_read(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// A count or an offset as SQLite takes it. What it cannot hold is more than there ever will be.
pub(crate) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A limit as SQLite takes it.
pub(crate) fn limit_to_sql(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A count or an offset as it stands in the database, where none is negative.
pub(crate) fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
