//! The embedded durable store in SQLite: each event is on disk before its request is answered.
//!
//! One thread writes and a few threads read, each with its own connection. None of these threads
//! belongs to an async runtime. No other crate knows that the store uses SQLite.
#![warn(missing_docs)]

mod archive;
mod backup;
mod check;
mod columns;
mod database;
mod existing;
mod export;
mod factory;
mod files;
mod folder;
mod health;
mod history;
mod import;
mod lane;
#[cfg(test)]
mod maintenance;
mod open_error;
mod options;
mod queries;
mod readers;
mod renewal;
mod room;
mod schema;
mod session;
mod statistics;
mod store;
mod trimming;
mod write_connection;
mod writer;
#[cfg(test)]
mod writer_faults;

pub use archive::Counts;
pub use backup::{BackupError, backup};
pub use check::{CheckError, Checked, check};
pub use export::{ExportError, ExportRange, export};
pub use factory::SqliteFactory;
pub use import::{ImportError, import};
pub use open_error::OpenError;
pub use options::Options;
pub use renewal::renew_epoch;
pub use statistics::Written;
pub use store::SqliteStore;
