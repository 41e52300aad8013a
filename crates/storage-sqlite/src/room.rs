//! Checks that the disk has enough free space for a transaction.

use crate::database::DatabaseError;
use rustix::fs::statvfs;
use std::num::NonZeroU64;
use std::path::Path;

/// Free space in bytes that is always reserved: enough for a small transaction and its checkpoint.
const RESERVE: u64 = 512 * 1024;
/// Smallest transaction size in bytes for which free space is required while the store is not
/// healthy. Without this minimum, a small transaction would fit on an almost full disk and mark the
/// store as healthy again.
pub(crate) const RECOVERED_BYTES: u64 = 64 * 1024;
/// Bytes that one transaction writes for each byte of its events: the event, the current alert, and
/// the full-text indices.
const WRITTEN_PER_BYTE: u64 = 4;
/// Divisor of the bound on bytes: the write-ahead log may use this fraction of the bound.
const WAL_PART: u64 = 8;

/// Returns an error if the disk has too little free space for a transaction of `bytes` bytes of
/// events, with a write-ahead log of `wal` bytes. After the transaction, space must be left for a
/// checkpoint of the complete log. Without a checkpoint, the store could not recover from a full
/// disk.
pub(crate) fn check(database: &Path, wal: u64, bytes: u64) -> Result<(), DatabaseError> {
    // If the file system does not report its free space, the store writes until a write fails.
    let Some(free) = database.parent().and_then(|folder| statvfs(folder).ok()) else {
        return Ok(());
    };
    let free = free.f_bavail.saturating_mul(free.f_frsize);
    let written = bytes.saturating_mul(WRITTEN_PER_BYTE);
    // All data is written twice: to the write-ahead log, and later to the database.
    let needed = RESERVE.saturating_add(wal).saturating_add(written.saturating_mul(2));
    if free < needed { Err(DatabaseError::DiskFull { free, needed }) } else { Ok(()) }
}

/// Returns the length of the write-ahead log, at most its part of the bound on bytes.
pub(crate) fn wal_within_its_part(wal: u64, most: u64) -> u64 {
    wal.min(most / WAL_PART)
}

/// Whether the write-ahead log is longer than its part of the bound on bytes.
pub(crate) fn wal_is_long(wal: u64, most: Option<NonZeroU64>) -> bool {
    most.is_some_and(|most| wal > most.get() / WAL_PART)
}
