//! Where events are kept: the port that every store implements, its laws, the store in memory, and
//! the persisted form of what other stores keep.
//!
//! The log is the bus. Whatever was appended is broadcast, because broadcasting *is* reading the
//! log's [`tail`]; what was not appended cannot be seen by anyone.
#![warn(missing_docs)]

mod alert_counts;
pub mod codec;
mod deadlines;
mod event_store;
mod gate;
mod health;
mod history;
#[cfg(feature = "laws")]
pub mod laws;
mod memory;
mod retention_clock;
mod submission;
mod tail;

pub use alert_counts::{AlertCounts, Summary};
pub use deadlines::{Deadlines, Overdue};
pub use event_store::{AppendError, EventStore, READ_BYTES, ReadError, ReadFrom, Unavailable};
pub use gate::GatedStore;
pub use health::{FileChange, StoreHealth};
pub use history::{AlertQuery, HistoryRange, MessageQuery, Part, QueryError, ScanPlan, Snapshot};
pub use memory::{Capacity, MemoryStore};
pub use retention_clock::RetentionClock;
pub use submission::{
    Fingerprint, IdempotencyKey, Outcome, RecordedOutcome, Rejection, Submission,
};
pub use tail::{PAGE_EVENTS, Page, Tail, next_page, tail};
