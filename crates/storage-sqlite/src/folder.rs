//! The folder that holds the data: created if it is not there, and locked by one process at a time.

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
/// Its lock counts, which the kernel drops with its process. It is a file of its own because SQLite's
/// locks on the database come and go. What it holds is in `mark`.
const LOCK: &str = "northgate.lock";

/// A folder that no other process uses for as long as this lives.
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

    /// Makes ready for a start what another one has left: refuses a folder whose database has gone,
    /// or has lost data under a server, since a start would hide that; and sets a write-ahead log
    /// aside that is not the one of the database.
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

    /// The database has all that was in its write-ahead log when that log was lost. One that is
    /// there now is an older copy, and SQLite would write it over the database.
    fn set_stale_log_aside(&self) -> io::Result<()> {
        let stale = beside(&self.database, "-wal.stale");
        match std::fs::rename(beside(&self.database, "-wal"), &stale) {
            Ok(()) => {
                tracing::warn!(
                    file = %stale.display(),
                    "a write-ahead log that is not the one of the database was set aside; \
                     everything is in northgate.db, and the file can be removed"
                );
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Notes that there is a database, whose log is called `epoch`. On a full disk that cannot be
    /// noted, and is at the next start.
    pub(crate) fn mark(&self, epoch: Epoch) {
        if let Err(error) = mark::put(&self.lock, epoch) {
            tracing::debug!(%error, "the lock of the data folder could not be marked");
        }
    }
}

pub(crate) fn lock_in(folder: &Path) -> PathBuf {
    folder.join(LOCK)
}

pub(crate) fn database_in(folder: &Path) -> PathBuf {
    folder.join(DATABASE)
}

/// The database that an import builds, until it is complete.
pub(crate) fn unfinished_import(database: &Path) -> PathBuf {
    beside(database, ".partial")
}

/// Creates the folder and its missing parents, on disk before anything in it is acknowledged:
/// SQLite syncs its files, and not the folder that they are in.
fn create(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = parent_of(folder);
    create(parent)?;
    DirBuilder::new().mode(access::FOLDER_MODE).create(folder)?;
    sync(parent)
}

/// The folder that a path is in.
pub(crate) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Brings the names in `folder` to disk.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
