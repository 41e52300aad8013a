//! The embedded durable store: every event on disk, in SQLite, before it is answered.
//!
//! One thread writes and a few read, each with a connection of its own; none of them belongs to a
//! runtime. This is the only crate that knows that SQLite is there.
#![warn(missing_docs)]

mod backup;
mod check;
mod database;
#[cfg(test)]
mod faults;
mod folder;
mod history;
mod ledger;
mod open_error;
mod options;
mod queries;
mod readers;
mod schema;
mod store;
#[cfg(test)]
mod tending;
mod trimming;
mod writer;

pub use backup::{BackupError, backup};
pub use check::{CheckError, Checked, check};
pub use open_error::OpenError;
pub use options::Options;
pub use store::{SqliteStore, Written};
