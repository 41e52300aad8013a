//! The data folder: created if it is missing, and locked by one process at a time.

mod access;
mod mark;
mod naming;

pub(crate) use access::{FILE_MODE, create_private};
pub(crate) use mark::{Note, forget_saved_log, note};
pub(crate) use naming::{beside, rename_new};

use crate::OpenError;
use northgate_domain::Epoch;
use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const DATABASE: &str = "northgate.db";
/// File whose lock marks the folder as in use. The kernel releases the lock when the process ends.
/// The lock is in a separate file because SQLite acquires and releases its own locks on the
/// database all the time. The module `mark` describes the contents of the file.
const LOCK: &str = "northgate.lock";

/// A locked data folder: no other process can use it while this value lives.
pub(crate) struct Folder {
    pub(crate) database: PathBuf,
    pub(crate) lock: File,
}

impl Folder {
    pub(crate) fn hold(folder: &Path) -> Result<Self, OpenError> {
        let cannot = |source| OpenError::Folder { folder: folder.to_owned(), source };
        create(folder).map_err(cannot)?;
        let mut lock = File::options();
        let lock = lock.create(true).truncate(false).read(true).write(true).mode(FILE_MODE);
        let lock = lock.open(lock_in(folder)).map_err(cannot)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { folder: folder.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(cannot(error)),
        }
        access::warn_if_shared(folder, [DATABASE, LOCK]);
        Ok(Self { database: database_in(folder), lock })
    }

    /// Checks the folder before a start. Refuses the folder if its database is missing, or if data
    /// was lost while a server ran, because a start would hide the loss. Renames an outdated
    /// write-ahead log.
    pub(crate) fn prepare(&self) -> Result<(), OpenError> {
        let is_there = self.database.metadata().is_ok_and(|found| found.len() > 0);
        if mark::is_marked(&self.lock) && !is_there {
            return Err(OpenError::DatabaseGone { file: self.database.clone() });
        }
        if mark::has(&self.lock, Note::DataLost) {
            return Err(OpenError::DataLost { folder: parent_of(&self.database).to_owned() });
        }
        if mark::has(&self.lock, Note::LogSaved) {
            self.set_stale_log_aside().and_then(|()| forget_saved_log(&self.lock)).map_err(
                |source| OpenError::Folder { folder: parent_of(&self.database).to_owned(), source },
            )?;
        }
        Ok(())
    }

    /// Renames an outdated write-ahead log. The original log was lost, but its contents were
    /// rescued into the database. A log file that exists now is an older copy, and SQLite would
    /// apply this copy to the database.
    fn set_stale_log_aside(&self) -> io::Result<()> {
        let stale = beside(&self.database, "-wal.stale");
        match std::fs::rename(beside(&self.database, "-wal"), &stale) {
            Ok(()) => {
                tracing::warn!(
                    file = %stale.display(),
                    "an outdated write-ahead log was renamed; all events are in northgate.db, and \
                     the renamed file can be removed"
                );
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Writes to the lock file that a database with the epoch `epoch` exists. If the write fails,
    /// for example on a full disk, the next start repeats it.
    pub(crate) fn mark(&self, epoch: Epoch) {
        if let Err(error) = mark::put(&self.lock, epoch) {
            tracing::debug!(%error, "cannot write the epoch to northgate.lock");
        }
    }
}

pub(crate) fn lock_in(folder: &Path) -> PathBuf {
    folder.join(LOCK)
}

pub(crate) fn database_in(folder: &Path) -> PathBuf {
    folder.join(DATABASE)
}

/// Returns the temporary path of the database that an import writes. A complete import renames the
/// file.
pub(crate) fn unfinished_import(database: &Path) -> PathBuf {
    beside(database, ".partial")
}

/// Creates the folder and its missing parents. Syncs the parent of each new folder before any event
/// is stored, because SQLite does not sync the parents of the data folder.
fn create(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = parent_of(folder);
    create(parent)?;
    DirBuilder::new().mode(access::FOLDER_MODE).create(folder)?;
    sync(parent)
}

/// Returns the folder that contains `path`; `.` for a bare file name.
pub(crate) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Syncs `folder`, so that the names of its files are durable.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
