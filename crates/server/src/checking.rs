//! `northgate check`: whether the data in a folder is whole, in one line.

use crate::configuration::DataFolder;
use northgate_storage_sqlite::{CheckError, check};
use std::path::PathBuf;

/// Why the data is not known to be whole.
#[derive(Debug, thiserror::Error)]
#[error("the data in {} is not whole, or cannot be read: {}", folder.display(), one_line(source))]
pub struct CheckDataError {
    folder: PathBuf,
    source: CheckError,
}

/// Reads everything in the folder, changes nothing, and says what is there.
pub fn check_data(folder: &DataFolder) -> Result<String, CheckDataError> {
    let folder = folder.path();
    let checked =
        check(folder).map_err(|source| CheckDataError { folder: folder.to_owned(), source })?;
    let (events, offset) = (checked.events, checked.head.offset);
    let folder = folder.display();
    Ok(format!("the data in {folder} is whole: {events} events, the newest at offset {offset}\n"))
}

/// SQLite reports each fault of a file in a line of its own.
fn one_line(error: &CheckError) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
