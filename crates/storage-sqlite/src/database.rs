//! Connections, and how numbers stand in the database.

use crate::folder::create_private;
use crate::health::ChangedFile;
use northgate_storage::QueryError;
use northgate_storage::codec::CodecError;
use rusqlite::{Connection, OpenFlags};
use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

/// How many prepared statements a connection keeps: all that it has.
const STATEMENTS: usize = 64;
/// After so many pages of 4 KiB the write-ahead log is brought into the database. A page that
/// changes again and again meanwhile, as those of indices do, is then written there but once.
const CHECKPOINT_PAGES: i64 = 4_000;
/// The write-ahead log is cut back to this after a burst has made it longer.
pub(crate) const WAL_BYTES: u64 = 64 * 1024 * 1024;
/// How long the writer waits for another process that holds a lock of the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a checkpoint waits for readers. It is tried again with the next commit.
const CHECKPOINT_TIMEOUT: Duration = Duration::from_millis(50);
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
    /// A file is not the one that was opened.
    #[error(transparent)]
    FileChanged(#[from] ChangedFile),
    /// The disk has too little room left to write anything.
    #[error("the disk has {free} bytes left, and {needed} are needed to write safely")]
    DiskFull {
        /// The bytes that are free.
        free: u64,
        /// The bytes that have to be free.
        needed: u64,
    },
    /// Readers of the log, or of alerts, cannot read.
    #[error("the stored data cannot be read")]
    ReadersFail,
    /// The first answer to an idempotency key cannot be read.
    #[error("the first answer to an idempotency key cannot be read")]
    UnreadableAnswer,
    /// Only alerts that are not resolved are left to make room, and they do not go.
    #[error("--retain-bytes is used up by alerts that are not resolved")]
    OnlyOpenAlertsLeft,
    /// The query cannot be answered; the database is well.
    #[error(transparent)]
    Refused(QueryError),
}

/// A connection for the writer; `more` says whether it may make the file.
pub(crate) fn connect_to_write(file: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if more.contains(OpenFlags::SQLITE_OPEN_CREATE) {
        // If that fails, so does SQLite, which has an error for it.
        let _ = create_private(file);
    }
    let connection = Connection::open_with_flags(literal(file), flags | more)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Every commit is on disk before it is answered: in this mode the log is synced each time.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", to_sql(WAL_BYTES))?;
    connection.pragma_update(None, "cache_size", WRITER_CACHE_KIB)?;
    Ok(connection)
}

/// Brings the write-ahead log into the database and empties it, as far as readers allow: what is
/// left then is brought over by a later one. Returns whether all of it is in the database.
pub(crate) fn checkpoint(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(CHECKPOINT_TIMEOUT)?;
    // Whether readers were in the way, how many pages the log has, and how many were brought over.
    let done = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        Ok(row.get::<_, i64>(1)? == row.get::<_, i64>(2)?)
    });
    connection.busy_timeout(BUSY_TIMEOUT)?;
    done
}

/// A connection that changes nothing.
pub(crate) fn connect_to_read(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(literal(file), flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// The path as SQLite takes it word for word: a relative one that begins with `file:` would be a URI.
pub(crate) fn literal(file: &Path) -> Cow<'_, Path> {
    std::path::absolute(file).map_or(Cow::Borrowed(file), Cow::Owned)
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

#[cfg(test)]
mod tests {
    use super::literal;
    use std::path::Path;

    #[test]
    fn no_path_is_taken_for_a_uri() {
        assert!(
            !literal(Path::new("file:data?mode=memory")).to_str().unwrap().starts_with("file:")
        );
        assert!(literal(Path::new("file:data")).ends_with("file:data"));
        assert_eq!(literal(Path::new("/data/x")), Path::new("/data/x"));
    }
}
