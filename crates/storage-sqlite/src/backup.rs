//! Copies the state of a folder's data at one instant into one file, even while a server runs.

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

/// Copies the state of the data in `folder` at one instant into the new file `to`. The copy is
/// durable when this function returns. To open a store with the copy, name the file `northgate.db`
/// and move it into its own folder.
///
/// The log of the copy has the epoch `epoch`, which the caller drew at random. Later events of the
/// copy and of the original have the same offsets. With equal epochs, a client of one log could not
/// detect that it reads the other log.
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
    // The copy is a single file, without a write-ahead log.
    copied.pragma_update(None, "journal_mode", "DELETE")?;
    copied.execute("UPDATE meta SET epoch = ?1", params![epoch.get().cast_signed()])?;
    copied.close().map_err(|(_connection, error)| error)
}
