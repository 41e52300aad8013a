//! Where events are kept: the port that every store implements, its laws, the store in memory, and
//! the persisted form of what other stores keep.
//!
//! The log is the bus. Whatever was appended is broadcast, because broadcasting *is* reading the
//! log's [`tail`]; what was not appended cannot be seen by anyone.
#![warn(missing_docs)]

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
mod tally;

pub use deadlines::{Deadlines, Overdue};
pub use event_store::{AppendError, EventStore, READ_BYTES, ReadError, ReadFrom, Unavailable};
pub use gate::GatedStore;
pub use health::{FileChange, StoreHealth};
pub use history::{AlertQuery, HistoryRange, MessageQuery, Part, QueryError, Snapshot, Walk};
pub use memory::{Capacity, MemoryStore};
pub use retention_clock::RetentionClock;
pub use submission::{Answer, Fingerprint, IdempotencyKey, Outcome, Rejection, Submission};
pub use tail::{PAGE_EVENTS, Page, Tail, next_page, tail};
pub use tally::{Summary, Tally};
