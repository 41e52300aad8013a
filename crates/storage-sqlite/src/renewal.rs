//! Changes the epoch of the log in a folder, for data that was copied without `backup`.

use crate::database::connect_to_write;
use crate::folder::{Folder, database_in};
use crate::{OpenError, schema};
use northgate_domain::Epoch;
use rusqlite::{OpenFlags, params};
use std::io;
use std::path::Path;

/// Changes the epoch of the log in `folder` to `epoch`, which the caller drew at random. No server
/// may use the folder. After a copy was made, the copy and the original append different events at
/// the same offsets. With equal epochs, a client of one log could not detect that it reads the
/// other log.
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
