//! What a failure of the writer means, and what an administrator can do about it.

use crate::database::DatabaseError;
use crate::health::ChangedFile;
use crate::health::{FileChange, StoreHealth};
use rusqlite::ErrorCode;

/// What a failure means for whoever depends on the store.
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

/// What an administrator can do about a failure.
pub(super) fn advice(error: &DatabaseError) -> &'static str {
    match health_of(error) {
        StoreHealth::DiskFull => "free some room; the server goes on by itself within a second",
        StoreHealth::OnlyOpenAlertsLeft => "resolve alerts, or allow more with --retain-bytes",
        StoreHealth::FileChanged {
            file: "northgate.db" | "northgate.db-wal",
            change: FileChange::Truncated,
        } => "stop the server and restore a backup: the file has lost data",
        StoreHealth::FileChanged { file: "northgate.db", change: FileChange::Replaced } => {
            "move the first file back (not a copy of it); or, if this is a copy that was made from \
             /proc/<pid>/fd, restart the server"
        }
        StoreHealth::FileChanged { file: "northgate.db", .. } => {
            "do not stop the server. Move the file, or its folder, back where it was, and the server \
             goes on by itself. If it was deleted, copy the newest state from /proc/<pid>/fd (the \
             link that ends with \"northgate.db (deleted)\") to its place, leave northgate.db-wal \
             where it is, and restart the server"
        }
        StoreHealth::FileChanged { file: "northgate.db-wal", .. } => {
            "move the same file back (not a copy of it); or wait for the line that everything is in \
             northgate.db, and restart the server"
        }
        StoreHealth::FileChanged { .. } => {
            "move the same file back (not a copy of it), or restart the server"
        }
        StoreHealth::Failing | StoreHealth::Keeping if is_damaged(error) => {
            "the database is damaged: stop the server and restore a backup, or export what can be \
             read and import it into a new folder"
        }
        StoreHealth::Failing | StoreHealth::Keeping => "look at the disk of the data folder",
    }
}

fn is_damaged(error: &DatabaseError) -> bool {
    let code = match error {
        DatabaseError::Sqlite(error) => error.sqlite_error_code(),
        _ => None,
    };
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
