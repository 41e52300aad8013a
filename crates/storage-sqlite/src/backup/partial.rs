//! The `.partial` file that a backup writes and renames when it is complete.

use super::error::BackupError;
use crate::folder::{FILE_MODE, beside, parent_of, rename_new, sync};
use rustix::fs::OFlags;
use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The first bytes of every SQLite database.
const SQLITE: [u8; 16] = *b"SQLite format 3\0";

/// The `.partial` file of a running backup. The file is locked while this value lives, so an
/// unlocked `.partial` file belongs to a killed backup. Dropping the value removes the file unless
/// `finish` renamed it.
pub(super) struct PartialFile {
    path: PathBuf,
    file: File,
    finished: bool,
}

impl PartialFile {
    /// Creates the file for the backup `to`, or reuses the file that a killed backup left.
    pub(super) fn create(to: &Path) -> Result<Self, BackupError> {
        let path = beside(to, ".partial");
        let cannot = |source| BackupError::Write { file: path.clone(), source };
        let file = open(&path).map_err(cannot)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BackupError::InProgress { file: path }),
            Err(TryLockError::Error(error)) => return Err(cannot(error)),
        }
        // Between `open` and `try_lock`, another backup may have finished and renamed the file.
        if !is_at(&path, &file).map_err(cannot)? {
            return Err(BackupError::InProgress { file: path });
        }
        if !is_left_by_a_backup(&file).map_err(cannot)? {
            return Err(BackupError::Exists { file: path });
        }
        // An older version may have created the file with another mode. `VACUUM INTO` requires an
        // empty file.
        let emptied = file
            .set_permissions(Permissions::from_mode(FILE_MODE))
            .and_then(|()| file.set_len(0))
            .and_then(|()| remove_journal(&path));
        emptied.map_err(cannot)?;
        Ok(Self { path, file, finished: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Renames the file to `to`. Fails if a file with that name was created during the backup.
    pub(super) fn finish(mut self, to: &Path) -> Result<(), BackupError> {
        let cannot = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists { file: to.to_owned() },
            _ => BackupError::Write { file: to.to_owned(), source },
        };
        self.file.sync_all().map_err(cannot)?;
        rename_new(&self.path, to).map_err(cannot)?;
        // From here on, a `.partial` file belongs to another backup, so `drop` must not remove it.
        self.finished = true;
        sync(parent_of(to)).map_err(cannot)
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.finished {
            // If the file cannot be removed, the next backup reuses it.
            let _ = fs::remove_file(&self.path);
            let _ = remove_journal(&self.path);
        }
    }
}

/// Opens or creates the file. Refuses a symbolic link, because the link could lead to any file.
fn open(path: &Path) -> io::Result<File> {
    let no_link = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0);
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    options.mode(FILE_MODE).custom_flags(no_link).open(path)
}

fn is_at(path: &Path, file: &File) -> io::Result<bool> {
    let opened = file.metadata()?;
    match path.symlink_metadata() {
        Ok(found) => Ok((found.dev(), found.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the file is empty or starts like a SQLite database. A killed backup may not have written
/// the first page, so zeros are also accepted.
fn is_left_by_a_backup(file: &File) -> io::Result<bool> {
    let mut first = Vec::new();
    file.take(SQLITE.len() as u64).read_to_end(&mut first)?;
    Ok(first.is_empty() || first == SQLITE || first == [0; SQLITE.len()])
}

fn remove_journal(path: &Path) -> io::Result<()> {
    match fs::remove_file(beside(path, "-journal")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
