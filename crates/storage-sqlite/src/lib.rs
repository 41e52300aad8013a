//! The embedded durable store: every event on disk, in SQLite, before it is answered.
//!
//! One thread writes and a few read, each with a connection of its own; none of them belongs to a
//! runtime. This is the only crate that knows that SQLite is there.
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
