//! Why data is not known to be whole.

use crate::OpenError;
use crate::database::DatabaseError;
use rusqlite::ErrorCode;

/// Why data is not known to be whole, as the end of a sentence: "the data in ./data is not whole: …".
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Something is missing, or is not as it was written.
    #[error("is not whole: {0}")]
    NotWhole(String),
    /// There is no data, or this process cannot read it. It may be whole.
    #[error("cannot be read: {0}")]
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
            // The file or its contents are wrong. All other errors are of this process and its system.
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
