//! The errors of a check.

use crate::OpenError;
use crate::database::DatabaseError;
use rusqlite::ErrorCode;

/// Why a check did not find the data intact. The text has no subject. The caller adds one: "the
/// data in ./data is not intact: …".
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Data is missing or damaged.
    #[error(
        "is not intact: {0}; restore a backup; without one, try to export the data and import it into a new folder"
    )]
    NotWhole(String),
    /// The folder contains no data, or this process cannot read it. Unread data may be intact.
    #[error("could not be checked: {0}")]
    Unreadable(String),
}

impl From<DatabaseError> for CheckError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Sqlite(error) => error.into(),
            DatabaseError::Record(_) | DatabaseError::UnreadableAnswer => {
                Self::NotWhole(error.to_string())
            }
            DatabaseError::Replaced
            | DatabaseError::ReadersFail
            | DatabaseError::FileChanged(_)
            | DatabaseError::DiskFull { .. }
            | DatabaseError::OnlyOpenAlertsLeft
            | DatabaseError::Refused(_) => Self::Unreadable(error.to_string()),
        }
    }
}

impl From<OpenError> for CheckError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Database { source, .. } => source.into(),
            error => Self::Unreadable(error.to_string()),
        }
    }
}

impl From<rusqlite::Error> for CheckError {
    fn from(error: rusqlite::Error) -> Self {
        let reason = format!("SQLite: {error}");
        match error.sqlite_error_code() {
            // With these codes the file or its contents are wrong. All other codes report a problem
            // of this process or of the operating system.
            None
            | Some(
                ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::TypeMismatch
                | ErrorCode::Unknown,
            ) => Self::NotWhole(reason),
            Some(_) => Self::Unreadable(reason),
        }
    }
}
