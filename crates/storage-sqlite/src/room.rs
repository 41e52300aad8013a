//! How much room the disk has left, and how much of it must stay free.

use crate::database::DatabaseError;
use rustix::fs::statvfs;
use std::num::NonZeroU64;
use std::path::Path;

/// Bytes that stay free beside everything else: enough for a small transaction and its checkpoint.
const RESERVE: u64 = 512 * 1024;
/// After a full disk there must be room for a transaction of so many bytes before the next one,
/// however small: otherwise each small one would say that all is well again.
pub(crate) const RECOVERED_BYTES: u64 = 64 * 1024;
/// What one transaction writes for each byte of its events: the event, the alert as it stands, and
/// the indices of words.
const WRITTEN_PER_BYTE: u64 = 4;
/// The part of the bound on bytes that the write-ahead log may take.
const WAL_PART: u64 = 8;

/// Refuses a transaction of so many `bytes` of events if there is too little room for it, where the
/// write-ahead log is `wal` bytes long. Afterwards there must still be room to bring the whole log
/// into the database, or a disk that was full once could never be written again.
pub(crate) fn check(database: &Path, wal: u64, bytes: u64) -> Result<(), DatabaseError> {
    // A file system that does not tell its free space is trusted until a write fails.
    let Some(free) = database.parent().and_then(|folder| statvfs(folder).ok()) else {
        return Ok(());
    };
    let free = free.f_bavail.saturating_mul(free.f_frsize);
    let written = bytes.saturating_mul(WRITTEN_PER_BYTE);
    // What is written goes to the log first and to the database then.
    let needed = RESERVE.saturating_add(wal).saturating_add(written.saturating_mul(2));
    if free < needed { Err(DatabaseError::DiskFull { free, needed }) } else { Ok(()) }
}

/// The length of the write-ahead log as far as it is within its part of the bound on bytes.
pub(crate) fn wal_within_its_part(wal: u64, most: u64) -> u64 {
    wal.min(most / WAL_PART)
}

/// Whether the write-ahead log takes too much of the bound on bytes.
pub(crate) fn wal_is_long(wal: u64, most: Option<NonZeroU64>) -> bool {
    most.is_some_and(|most| wal > most.get() / WAL_PART)
}
