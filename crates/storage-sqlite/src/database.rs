//! Opens connections to the database, and converts numbers to and from SQL.

use crate::folder::create_private;
use crate::health::ChangedFile;
use northgate_storage::QueryError;
use northgate_storage::codec::CodecError;
use rusqlite::{Connection, OpenFlags};
use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

/// Capacity of a connection's cache of prepared statements: enough for all statements of the store.
const STATEMENTS: usize = 64;
/// Length of the write-ahead log, in pages of 4 KiB, that starts a checkpoint. Index pages change
/// often between two checkpoints, and a checkpoint writes each changed page to the database only
/// once. So the value is large.
const CHECKPOINT_PAGES: i64 = 4_000;
/// Length in bytes to which SQLite truncates a longer write-ahead log, for example after a burst.
pub(crate) const WAL_BYTES: u64 = 64 * 1024 * 1024;
/// How long the writer waits for a database lock that another process has acquired.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a checkpoint waits for readers. After this time the checkpoint is left to a later
/// commit.
const CHECKPOINT_TIMEOUT: Duration = Duration::from_millis(50);
/// Size of the writer's page cache in KiB (negative by SQLite's convention). The cache is large
/// because ids are random, so each id touches a different page of its index.
const WRITER_CACHE_KIB: i64 = -32 * 1024;

/// Why an operation on the database failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    /// SQLite returned an error.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A stored record cannot be decoded.
    #[error("a stored record cannot be decoded: {0}")]
    Record(#[from] CodecError),
    /// The path of the database leads to another database, or to an older copy of the opened one.
    #[error("northgate.db was replaced by another database or by an older copy")]
    Replaced,
    /// A file of the store is missing, replaced, truncated or inaccessible.
    #[error(transparent)]
    FileChanged(#[from] ChangedFile),
    /// The disk has too little free space for a safe write.
    #[error("the disk has {free} bytes of free space, but a safe write needs {needed} bytes")]
    DiskFull {
        /// Free space in bytes.
        free: u64,
        /// Required free space in bytes.
        needed: u64,
    },
    /// Queries or reads of the log failed, and a new connection cannot read the database either.
    #[error("the stored data cannot be read")]
    ReadersFail,
    /// The stored answer to the first use of an idempotency key cannot be decoded.
    #[error("the stored answer of an idempotency key cannot be decoded")]
    UnreadableAnswer,
    /// Unresolved alerts use up the bound on bytes. Trimming never removes unresolved alerts to
    /// free bytes.
    #[error("unresolved alerts use up --retain-bytes")]
    OnlyOpenAlertsLeft,
    /// The query cannot be answered; the database is intact.
    #[error(transparent)]
    Refused(QueryError),
}

/// Opens a connection for the writer. Creates a missing file if `more` contains
/// `SQLITE_OPEN_CREATE`.
pub(crate) fn connect_to_write(file: &Path, more: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if more.contains(OpenFlags::SQLITE_OPEN_CREATE) {
        // If this fails, SQLite fails too and reports the error.
        let _ = create_private(file);
    }
    let connection = Connection::open_with_flags(literal(file), flags | more)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // In this mode SQLite syncs the write-ahead log at every commit, so a request is answered only
    // after its events are durable.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", to_sql(WAL_BYTES))?;
    connection.pragma_update(None, "cache_size", WRITER_CACHE_KIB)?;
    Ok(connection)
}

/// Copies the write-ahead log into the database and empties the log. If readers block a part of the
/// log, a later checkpoint copies the rest. Returns whether the database contains the complete log.
pub(crate) fn checkpoint(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(CHECKPOINT_TIMEOUT)?;
    // The columns of the result are: whether the checkpoint was blocked, the pages in the log, and
    // the pages copied.
    let done = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        Ok(row.get::<_, i64>(1)? == row.get::<_, i64>(2)?)
    });
    connection.busy_timeout(BUSY_TIMEOUT)?;
    done
}

/// Opens a read-only connection.
pub(crate) fn connect_to_read(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(literal(file), flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Returns the absolute path. SQLite would parse a relative path that begins with `file:` as a URI.
pub(crate) fn literal(file: &Path) -> Cow<'_, Path> {
    std::path::absolute(file).map_or(Cow::Borrowed(file), Cow::Owned)
}

/// Converts a count or an offset for SQLite. A number above `i64::MAX` never occurs in practice.
pub(crate) fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Converts a limit for SQLite.
pub(crate) fn limit_to_sql(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Converts a count or an offset from the database, which contains no negative ones.
pub(crate) fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::literal;
    use std::path::Path;

    #[test]
    fn a_path_is_never_parsed_as_a_uri() {
        assert!(
            !literal(Path::new("file:data?mode=memory")).to_str().unwrap().starts_with("file:")
        );
        assert!(literal(Path::new("file:data")).ends_with("file:data"));
        assert_eq!(literal(Path::new("/data/x")), Path::new("/data/x"));
    }
}
