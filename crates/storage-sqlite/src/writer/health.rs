//! The health of the store after a failure of the writer, and the advice for an administrator.

use crate::database::DatabaseError;
use crate::health::ChangedFile;
use crate::health::{FileChange, StoreHealth};
use rusqlite::ErrorCode;

/// Returns the health of the store after a failure.
pub(super) fn health_of(error: &DatabaseError) -> StoreHealth {
    match error {
        DatabaseError::FileChanged(ChangedFile { file, change }) => {
            StoreHealth::FileChanged { file, change: *change }
        }
        DatabaseError::DiskFull { .. } => StoreHealth::DiskFull,
        DatabaseError::OnlyOpenAlertsLeft => StoreHealth::OnlyOpenAlertsLeft,
        DatabaseError::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
            StoreHealth::DiskFull
        }
        DatabaseError::Sqlite(_)
        | DatabaseError::Record(_)
        | DatabaseError::UnreadableAnswer
        | DatabaseError::ReadersFail
        | DatabaseError::Replaced
        | DatabaseError::Refused(_) => StoreHealth::Failing,
    }
}

/// Returns what an administrator can do about a failure.
pub(super) fn advice(error: &DatabaseError) -> &'static str {
    match health_of(error) {
        StoreHealth::DiskFull => {
            "free disk space; the server then continues automatically within a second"
        }
        StoreHealth::OnlyOpenAlertsLeft => {
            "resolve alerts, or restart with a larger --retain-bytes"
        }
        StoreHealth::FileChanged {
            file: "northgate.db" | "northgate.db-wal",
            change: FileChange::Truncated,
        } => "stop the server and restore a backup: data in this file is lost",
        StoreHealth::FileChanged { file: "northgate.db", change: FileChange::Replaced } => {
            "move the original file back (not a copy of it). If the new file is a copy that you \
             made from /proc/<pid>/fd, restart the server instead"
        }
        StoreHealth::FileChanged { file: "northgate.db", .. } => {
            "do not stop the server yet. If the file or its folder was moved, move it back; the \
             server then continues automatically. If the file was deleted, copy it from \
             /proc/<pid>/fd (the link that ends with \"northgate.db (deleted)\") to its old path, \
             do not touch northgate.db-wal, and restart the server"
        }
        StoreHealth::FileChanged { file: "northgate.db-wal", .. } => {
            "move the original file back (not a copy of it). Or wait for the log line that all \
             events are in northgate.db, and then restart the server"
        }
        StoreHealth::FileChanged { .. } => {
            "move the original file back (not a copy of it), or restart the server"
        }
        StoreHealth::Failing | StoreHealth::Keeping if is_damaged(error) => {
            "the database is damaged: stop the server, and restore a backup, or export the data \
             and import it into a new folder"
        }
        StoreHealth::Failing | StoreHealth::Keeping => "check the disk of the data folder",
    }
}

fn is_damaged(error: &DatabaseError) -> bool {
    let code = match error {
        DatabaseError::Sqlite(error) => error.sqlite_error_code(),
        _ => None,
    };
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
