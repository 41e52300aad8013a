//! Another name for the log of a folder: for data that was copied by other means than a backup.

use crate::database::connect_to_write;
use crate::folder::{Folder, database_in};
use crate::{OpenError, schema};
use northgate_domain::Epoch;
use rusqlite::{OpenFlags, params};
use std::io;
use std::path::Path;

/// Calls the log in `folder`, which no server uses, `epoch`, which the caller drew at random. A
/// copy and what it was copied from go on differently under the same offsets: with one name for
/// both, a client of the one would take the events of the other for those that it missed.
pub fn renew_epoch(folder: &Path, epoch: Epoch) -> Result<(), OpenError> {
    let file = database_in(folder);
    if !file.exists() {
        let source = io::Error::from(io::ErrorKind::NotFound);
        return Err(OpenError::Folder { folder: folder.to_owned(), source });
    }
    let _held = Folder::hold(folder)?;
    schema::recognise(&file)?;
    let renewed = connect_to_write(&file, OpenFlags::empty()).and_then(|connection| {
        let sql = "UPDATE meta SET epoch = ?1";
        connection.execute(sql, params![epoch.get().cast_signed()])
    });
    renewed.map(|_rows| ()).map_err(|source| OpenError::Database { file, source })
}
