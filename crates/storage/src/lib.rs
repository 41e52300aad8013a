//! The storage port that every store implements, the laws of the port, the store in memory, and the
//! persisted form of records for durable stores.
//!
//! The log is also the message bus: the server broadcasts the events that it reads from the log's
//! [`tail`]. So every appended event is broadcast, and no other event is.
#![warn(missing_docs)]

mod closable_log;
pub mod codec;
mod decision;
mod error;
mod event_log;
mod event_store;
#[cfg(feature = "laws")]
pub mod laws;
mod memory;
mod paced_log;
mod read_model;
mod retention_clock;
mod scan_plan;
mod submission;
mod tail;

pub use closable_log::ClosableLog;
pub use decision::{FirstUse, LogEnd, Step, decide_submission};
pub use error::{AppendError, QueryError, ReadError, Unavailable};
pub use event_log::{EventLog, READ_BYTES, ReadFrom};
pub use event_store::{EventStore, NotWritable, StoreFactory};
pub use memory::{Capacity, MemoryFactory, MemoryStore};
pub use paced_log::PacedLog;
pub use read_model::ReadModel;
pub use retention_clock::RetentionClock;
pub use scan_plan::{PageBuilder, ScanPlan};
pub use submission::{
    Fingerprint, IdempotencyKey, Outcome, RecordedOutcome, Rejection, Submission,
};
pub use tail::{PAGE_EVENTS, Page, Tail, next_page, tail};
