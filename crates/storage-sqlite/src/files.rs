//! Checks that the files of the store are still the ones that were opened.
//!
//! If a file is moved, deleted or replaced while a server runs, the server still has the original
//! file open and can write to it. After a restart the server would not find the written data. So
//! the store confirms no write while a path leads to another file than at the start.

use crate::database::WAL_BYTES;
use crate::folder::{Note, beside, forget_saved_log, note};
use crate::health::{ChangedFile, FileChange};
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The files of one open store. The writer's thread owns this value. No other thread changes the
/// length of the files.
pub(crate) struct StoreFiles {
    lock: WatchedFile,
    database: WatchedFile,
    wal: WatchedFile,
    shared_memory: WatchedFile,
    /// Whether the writer has the write-ahead log open. SQLite deletes the log when the last
    /// connection closes, and creates a new log for the next connection.
    wal_is_open: bool,
}

impl StoreFiles {
    /// Records the identity and length of the lock file and of the files of an open `database`.
    pub(crate) fn of(database: &Path, lock: &Path) -> io::Result<Self> {
        Ok(Self {
            lock: WatchedFile::of("northgate.lock", lock.to_owned())?,
            database: WatchedFile::of("northgate.db", database.to_owned())?,
            wal: WatchedFile::of("northgate.db-wal", beside(database, "-wal"))?,
            shared_memory: WatchedFile::of("northgate.db-shm", beside(database, "-shm"))?,
            wal_is_open: true,
        })
    }

    /// Compares the files at the paths with those that were opened. Returns the length of the
    /// write-ahead log in bytes.
    pub(crate) fn verify(&mut self) -> Result<u64, ChangedFile> {
        // If the folder was moved, all files are missing. The database is checked first, because
        // its loss is the most important to report.
        self.database.least = self.database.verify()?;
        let mut length = 0;
        if self.wal_is_open {
            length = self.wal.verify().or_else(|changed| {
                if changed.change == FileChange::Truncated {
                    // If the lock file was replaced, another server may have started and emptied
                    // the log. Then the lock file is reported instead of the log.
                    self.lock.verify()?;
                }
                Err(changed)
            })?;
            // SQLite itself may truncate a longer log to `WAL_BYTES`.
            self.wal.least = length.min(WAL_BYTES);
            self.shared_memory.verify()?;
        }
        self.lock.verify()?;
        Ok(length)
    }

    /// Writes a note for the next start into the lock file.
    pub(crate) fn note(&self, what: Note) -> io::Result<()> {
        // Another server may have replaced the lock file. Its lock file must not get this note.
        self.lock.verify().map_err(io::Error::other)?;
        note(&File::options().read(true).write(true).open(&self.lock.path)?, what)
    }

    /// Removes the note [`Note::LogSaved`]. To be called when the original write-ahead log is back
    /// at its path, because the next start must use this log.
    pub(crate) fn forget_saved_log(&self) -> io::Result<()> {
        forget_saved_log(&File::options().read(true).write(true).open(&self.lock.path)?)
    }

    /// Accepts any length of the write-ahead log at the next check. To be called when a checkpoint
    /// may have truncated the log.
    pub(crate) fn wal_was_truncated(&mut self) {
        self.wal.least = 0;
    }

    /// Ends the checks of the write-ahead log and of `-shm`. To be called when the writer has
    /// closed its connection.
    pub(crate) fn wal_was_closed(&mut self) {
        self.wal_is_open = false;
    }

    /// Restarts the checks of the write-ahead log and of `-shm`, with the current files. To be
    /// called when the writer has a connection again.
    pub(crate) fn wal_was_reopened(&mut self) {
        self.wal_is_open = true;
        for file in [&mut self.wal, &mut self.shared_memory] {
            if let Ok(now) = WatchedFile::of(file.name, file.path.clone()) {
                *file = now;
            }
        }
    }
}

struct WatchedFile {
    name: &'static str,
    path: PathBuf,
    device: u64,
    inode: u64,
    /// Shortest length in bytes that the file can have without a loss of data.
    least: u64,
}

impl WatchedFile {
    fn of(name: &'static str, path: PathBuf) -> io::Result<Self> {
        let found = path.metadata()?;
        Ok(Self { name, path, device: found.dev(), inode: found.ino(), least: found.len() })
    }

    fn verify(&self) -> Result<u64, ChangedFile> {
        let changed = |change| ChangedFile { file: self.name, change };
        let found = self.path.metadata().map_err(|error| {
            let is_gone =
                matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
            changed(if is_gone { FileChange::Gone } else { FileChange::Unreachable })
        })?;
        if (found.dev(), found.ino()) != (self.device, self.inode) {
            return Err(changed(FileChange::Replaced));
        }
        if found.len() < self.least {
            return Err(changed(FileChange::Truncated));
        }
        Ok(found.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};

    fn files(folder: &Path) -> StoreFiles {
        for name in ["northgate.lock", "northgate.db", "northgate.db-wal", "northgate.db-shm"] {
            fs::write(folder.join(name), "1234").unwrap();
        }
        StoreFiles::of(&folder.join("northgate.db"), &folder.join("northgate.lock")).unwrap()
    }

    #[test]
    fn a_missing_replaced_or_truncated_file_is_reported_by_name() {
        for file in ["northgate.lock", "northgate.db", "northgate.db-wal", "northgate.db-shm"] {
            let folder = tempfile::tempdir().unwrap();
            let mut files = files(folder.path());
            assert_eq!(files.verify(), Ok(4));
            let path = folder.path().join(file);
            fs::rename(&path, folder.path().join("aside")).unwrap();
            assert_eq!(files.verify(), Err(ChangedFile { file, change: FileChange::Gone }));
            fs::write(&path, "1234").unwrap();
            assert_eq!(files.verify(), Err(ChangedFile { file, change: FileChange::Replaced }));
            fs::rename(folder.path().join("aside"), &path).unwrap();
            assert_eq!(files.verify(), Ok(4));
            File::options().write(true).open(&path).unwrap().set_len(3).unwrap();
            assert_eq!(files.verify(), Err(ChangedFile { file, change: FileChange::Truncated }));
        }
    }

    #[test]
    fn a_replaced_lock_file_is_reported_first_and_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = files(folder.path());
        assert_eq!(files.verify(), Ok(4));
        let lock = folder.path().join("northgate.lock");
        fs::rename(&lock, folder.path().join("aside")).unwrap();
        fs::write(&lock, "another server").unwrap();
        fs::write(folder.path().join("northgate.db-wal"), "").unwrap();
        let replaced = ChangedFile { file: "northgate.lock", change: FileChange::Replaced };
        assert_eq!(files.verify(), Err(replaced));
        assert!(files.note(Note::LogSaved).is_err());
        assert_eq!(fs::read(&lock).unwrap(), b"another server");
    }

    #[test]
    fn files_may_grow_and_the_writer_may_truncate_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = files(folder.path());
        fs::write(folder.path().join("northgate.db"), "12345678").unwrap();
        fs::write(folder.path().join("northgate.db-wal"), "12345678").unwrap();
        assert_eq!(files.verify(), Ok(8));
        fs::write(folder.path().join("northgate.db-wal"), "").unwrap();
        let truncated =
            Err(ChangedFile { file: "northgate.db-wal", change: FileChange::Truncated });
        assert_eq!(files.verify(), truncated);
        files.wal_was_truncated();
        assert_eq!(files.verify(), Ok(0));
        fs::write(folder.path().join("northgate.db"), "1234").unwrap();
        let truncated = Err(ChangedFile { file: "northgate.db", change: FileChange::Truncated });
        assert_eq!(files.verify(), truncated, "the database must not become shorter");
    }
}
