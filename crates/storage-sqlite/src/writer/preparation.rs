//! Checks before a transaction that a restart will find the files, that the disk has enough free
//! space, and that the database can be read.

use super::Writer;
use crate::database::{DatabaseError, checkpoint, connect_to_read};
use crate::folder::Note;
use crate::health::ChangedFile;
use crate::health::{FileChange, StoreHealth};
use crate::trimming::Usage;
use crate::{queries, room};
use std::num::NonZeroU64;
use std::sync::atomic::Ordering;

/// Length in bytes above which the writer warns that the write-ahead log cannot be emptied. A
/// smaller `--retain-bytes` is used instead of this length.
const LONG_WAL_BYTES: u64 = 256 * 1024 * 1024;

impl Writer {
    pub(super) fn usage(&self, wal: u64) -> Usage {
        let sent = self.follower.get().map_or(u64::MAX, |follower| follower.borrow().offset);
        Usage { wal, sent }
    }

    /// Checks that `bytes` bytes of events can be written, and that a restart will find the events.
    /// Returns the length of the write-ahead log in bytes.
    pub(super) fn prepare(&mut self, bytes: u64) -> Result<u64, DatabaseError> {
        let wal = self.verify_files()?;
        self.verify_readers()?;
        let failing = *self.health.borrow() != StoreHealth::Keeping;
        let bytes = if failing { bytes.max(room::RECOVERED_BYTES) } else { bytes };
        let has_room = room::check(&self.file, wal, bytes).is_ok();
        if !failing && has_room && !room::wal_is_long(wal, self.bounds.bytes) {
            return Ok(wal);
        }
        // A checkpoint empties the log before the check, because space must be reserved for a long
        // log. On a completely full disk a checkpoint would no longer be possible.
        let connection = self.take_connection()?;
        if let Err(error) = checkpoint(&connection.sqlite) {
            tracing::debug!(%error, "cannot empty the write-ahead log");
        }
        self.connection = Some(connection);
        self.files.wal_was_truncated();
        let wal = self.verify_files()?;
        room::check(&self.file, wal, bytes)?;
        Ok(wal)
    }

    /// Compares the files with those that were opened, and rescues a lost write-ahead log. Returns
    /// the length of the write-ahead log in bytes.
    pub(super) fn verify_files(&mut self) -> Result<u64, ChangedFile> {
        if self.connection.is_none() {
            self.files.wal_was_closed();
        }
        match self.files.verify() {
            Err(changed) if changed.file == "northgate.db-wal" => {
                if changed.change == FileChange::Truncated {
                    return self.accept_checkpoint().ok_or(changed);
                }
                self.rescue(changed);
                Err(changed)
            }
            Ok(wal) if self.is_rescued => {
                if let Err(error) = self.files.forget_saved_log() {
                    tracing::warn!(%error, "cannot write northgate.lock");
                    let change = FileChange::Unreachable;
                    return Err(ChangedFile { file: "northgate.lock", change });
                }
                self.is_rescued = false;
                Ok(wal)
            }
            verified => verified,
        }
    }

    /// Refuses to write events that could not be read. If readers have failed, the newest rows must
    /// be readable with a new connection.
    fn verify_readers(&self) -> Result<(), DatabaseError> {
        if !self.failing_readers.iter().any(|failing| failing.load(Ordering::Relaxed)) {
            return Ok(());
        }
        connect_to_read(&self.file)
            .and_then(|connection| queries::touch_newest(&connection))
            .map_err(|_same_as_the_readers| DatabaseError::ReadersFail)?;
        // The readers themselves clear these flags only at their next query, which may be much
        // later.
        for failing in &self.failing_readers {
            failing.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Accepts a shorter write-ahead log if another process made a checkpoint, and returns the
    /// length of the log. After a checkpoint a new connection finds the same head. If the
    /// connection finds an older head or none, data was lost, and the result is `None`.
    fn accept_checkpoint(&mut self) -> Option<u64> {
        let head = self.connection.as_ref()?.head();
        let connection = connect_to_read(&self.file).ok()?;
        if queries::head(&connection).ok()? != head {
            return None;
        }
        self.files.wal_was_truncated();
        self.files.verify().ok()
    }

    /// Rescues a write-ahead log that was moved, deleted or replaced: the original log is still
    /// open, so a checkpoint can copy it into the database. If readers block the checkpoint, the
    /// next append or the next maintenance tries again.
    fn rescue(&mut self, changed: ChangedFile) {
        if self.is_rescued {
            return;
        }
        let Some(connection) = &self.connection else { return };
        match checkpoint(&connection.sqlite) {
            Ok(true) => {
                self.is_rescued = true;
                self.files.wal_was_truncated();
                self.note(Note::LogSaved);
                tracing::warn!(
                    file = changed.file,
                    "a file is missing or was replaced; all committed events are in northgate.db. \
                     Restart the server"
                );
            }
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot copy the lost write-ahead log into northgate.db");
            }
        }
    }

    /// Warns once when the write-ahead log becomes too long because it cannot be emptied.
    pub(super) fn warn_of_wal(&mut self, wal: u64) {
        let most = self.bounds.bytes.map_or(u64::MAX, NonZeroU64::get);
        let is_long = wal > LONG_WAL_BYTES.min(most);
        if is_long && !self.warned_of_wal {
            tracing::warn!(
                wal.bytes = wal,
                "the write-ahead log grows because another process has been reading the data for \
                 a long time, for example a check, a backup or sqlite3"
            );
        }
        self.warned_of_wal = is_long;
    }
}
