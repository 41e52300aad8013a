//! The folder that holds the data: made if it is not there, and held by one process at a time.

use crate::OpenError;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

const DATABASE: &str = "northgate.db";
/// Empty; only the lock on it counts, which the kernel drops with its process. It is a file of its
/// own because SQLite's locks on the database come and go.
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
        let lock = lock.create(true).truncate(false).write(true).open(lock_in(folder));
        let lock = lock.map_err(cannot)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { database: database_in(folder), lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { folder: folder.to_owned() }),
            Err(TryLockError::Error(error)) => Err(cannot(error)),
        }
    }
}

pub(crate) fn lock_in(folder: &Path) -> PathBuf {
    folder.join(LOCK)
}

pub(crate) fn database_in(folder: &Path) -> PathBuf {
    folder.join(DATABASE)
}

/// Makes the folder and those above it, on disk before anything in it is answered: SQLite sees to
/// its files and not to the folder that they are in.
fn create(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = match folder.parent() {
        Some(above) if above != Path::new("") => above,
        _ => Path::new("."),
    };
    create(above)?;
    fs::create_dir(folder)?;
    sync(above)
}

/// Brings to disk what names there are in `folder`.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
