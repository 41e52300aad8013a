//! `northgate backup`: a copy of the data in one file, in one line.

use crate::configuration::DataFolder;
use crate::stamps::draw_epoch;
use northgate_storage_sqlite::{BackupError, backup};
use std::path::Path;

/// Copies everything in the folder into a new file, and says so.
pub fn back_up_data(folder: &DataFolder, to: &Path) -> Result<String, BackupError> {
    let folder = folder.path();
    backup(folder, to, draw_epoch())?;
    Ok(format!("the data in {} is copied to {}\n", folder.display(), to.display()))
}
