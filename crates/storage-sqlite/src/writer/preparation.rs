//! What the writer makes sure of before a transaction: that a restart will find it, that the disk has
//! room for it, and that it can be read.

use super::Writer;
use crate::database::{DatabaseError, checkpoint, connect_to_read};
use crate::folder::Note;
use crate::health::ChangedFile;
use crate::health::{FileChange, StoreHealth};
use crate::trimming::Usage;
use crate::{queries, room};
use std::num::NonZeroU64;
use std::sync::atomic::Ordering;

/// A write-ahead log that is longer than this, or than all data may be, is kept from being emptied.
const LONG_WAL_BYTES: u64 = 256 * 1024 * 1024;

impl Writer {
    pub(super) fn usage(&self, wal: u64) -> Usage {
        let sent = self.follower.get().map_or(u64::MAX, |follower| follower.borrow().offset);
        Usage { wal, sent }
    }

    /// Makes sure that so many bytes of events can be written where a restart finds them, and
    /// returns the length of the write-ahead log.
    pub(super) fn prepare(&mut self, bytes: u64) -> Result<u64, DatabaseError> {
        let wal = self.verify_files()?;
        self.verify_readers()?;
        let failing = *self.health.borrow() != StoreHealth::Keeping;
        let bytes = if failing { bytes.max(room::RECOVERED_BYTES) } else { bytes };
        let has_room = room::check(&self.file, wal, bytes).is_ok();
        if !failing && has_room && !room::wal_is_long(wal, self.bounds.bytes) {
            return Ok(wal);
        }
        // The log is emptied first: that frees its own room, and would not be possible any more
        // once the disk is full.
        let connection = self.take_connection()?;
        if let Err(error) = checkpoint(&connection.sqlite) {
            tracing::debug!(%error, "the write-ahead log could not be emptied");
        }
        self.connection = Some(connection);
        self.files.wal_was_truncated();
        let wal = self.verify_files()?;
        room::check(&self.file, wal, bytes)?;
        Ok(wal)
    }

    /// Compares the files with what they were, and saves what can be saved. Returns the length of
    /// the write-ahead log in bytes.
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
                    tracing::warn!(%error, "northgate.lock cannot be written");
                    let change = FileChange::Unreachable;
                    return Err(ChangedFile { file: "northgate.lock", change });
                }
                self.is_rescued = false;
                Ok(wal)
            }
            verified => verified,
        }
    }

    /// Refuses to write what nobody could read: when readers have failed, the newest rows must be
    /// readable by a connection of its own.
    fn verify_readers(&self) -> Result<(), DatabaseError> {
        if !self.failing_readers.iter().any(|failing| failing.load(Ordering::Relaxed)) {
            return Ok(());
        }
        connect_to_read(&self.file)
            .and_then(|connection| queries::touch_newest(&connection))
            .map_err(|_same_as_the_readers| DatabaseError::ReadersFail)?;
        // Readers may have nothing to read before the next event.
        for failing in &self.failing_readers {
            failing.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The length of a write-ahead log that another process has brought over and emptied: a new
    /// connection sees the same head then, and else nothing or an older one.
    fn accept_checkpoint(&mut self) -> Option<u64> {
        let head = self.connection.as_ref()?.head();
        let connection = connect_to_read(&self.file).ok()?;
        if queries::head(&connection).ok()? != head {
            return None;
        }
        self.files.wal_was_truncated();
        self.files.verify().ok()
    }

    /// Saves what can be saved when the write-ahead log is gone and the database is not: everything
    /// goes into the database while the log is still open. Readers may be in the way; then it is
    /// tried again with the next append, and every second.
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
                    "a file is gone; everything that was acknowledged is in northgate.db. Restart \
                     the server"
                );
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the write-ahead log cannot be saved"),
        }
    }

    /// Says when something keeps the write-ahead log from being emptied: it grows until that ends.
    pub(super) fn warn_of_wal(&mut self, wal: u64) {
        let most = self.bounds.bytes.map_or(u64::MAX, NonZeroU64::get);
        let is_long = wal > LONG_WAL_BYTES.min(most);
        if is_long && !self.warned_of_wal {
            tracing::warn!(
                wal.bytes = wal,
                "the write-ahead log grows: another process reads the data for a long time, \
                 such as a check, a backup or sqlite3"
            );
        }
        self.warned_of_wal = is_long;
    }
}
