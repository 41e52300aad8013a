//! A copy of a folder's data in one file, of one moment, while a server uses the folder or not.

mod error;
mod partial;

pub use error::BackupError;

use crate::database::literal;
use crate::existing::ExistingData;
use crate::folder::{database_in, parent_of};
use northgate_domain::Epoch;
use partial::PartialFile;
use rusqlite::{Connection, OpenFlags, params};
use std::path::Path;

/// Copies the data in `folder`, as it is at one moment, into the new file `to`: on disk when this
/// returns. The log in it is called `epoch`, which the caller drew at random: what is raised after
/// the copy has the same offsets in both, and a client of the one must not take the events of the
/// other for those that it missed. The copy, named `northgate.db` in a folder of its own, is data
/// that a store can be opened with.
pub fn backup(folder: &Path, to: &Path, epoch: Epoch) -> Result<(), BackupError> {
    let name = to.file_name().unwrap_or_default().as_encoded_bytes();
    if name.starts_with(b"northgate.") && is_same_folder(parent_of(to), folder) {
        return Err(BackupError::OfTheData { file: to.to_owned() });
    }
    let source = ExistingData::open(folder)?;
    if to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists { file: to.to_owned() });
    }
    let partial = PartialFile::create(to)?;
    copy(&source.connection, partial.path(), epoch)
        .map_err(|source| BackupError::Copy { database: database_in(folder), source })?;
    partial.finish(to)
}

fn is_same_folder(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn copy(source: &Connection, partial: &Path, epoch: Epoch) -> rusqlite::Result<()> {
    let partial = &literal(partial);
    let name =
        partial.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(partial.to_path_buf()))?;
    source.execute("VACUUM INTO ?1", params![name])?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let copied = Connection::open_with_flags(partial, flags)?;
    // The copy is one file, without a log beside it.
    copied.pragma_update(None, "journal_mode", "DELETE")?;
    copied.execute("UPDATE meta SET epoch = ?1", params![epoch.get().cast_signed()])?;
    copied.close().map_err(|(_connection, error)| error)
}
