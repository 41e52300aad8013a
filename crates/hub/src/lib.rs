//! The live fan-out: one shared log of encoded frames, and a cursor for every connection.
//!
//! The [`Pump`] follows the store's tail, encodes each event once, and appends the frame to the
//! frame log. Every worker thread has a [`Worker`], which is woken once per batch. The worker
//! acquires the log's lock once, copies the handles of the new frames into its window (the newest
//! events, retained in memory), and wakes the connections of its thread. For the hub, a connection
//! is only a [`Cursor`] into that window. A cursor has no queue: a slow connection retains at most
//! one page of events in memory, and delays no other connection. A cursor is behind the window if
//! its client resumes or is slow. Such a cursor reads the store one page at a time until it reaches
//! the window again. Live, resuming and slow connections therefore use the same code; they differ
//! only in their distance from the head.
//!
//! Ownership: only the pump's task appends to the shared log. A mutex protects the log. The mutex
//! is locked only to append or copy handles, and never across an await. Each window, and every
//! cursor on it, belongs to one worker thread. A cursor owns its read of the store: dropping the
//! cursor cancels the read.
#![warn(missing_docs)]

mod catch_up;
mod cursor;
mod frame;
mod frame_log;
mod hub;
mod page;
mod progress_notifier;
mod pump;
mod step;
mod window;
mod worker;

pub use cursor::Cursor;
pub use frame::{Encoder, Frame, text_frame};
pub use hub::Hub;
pub use pump::Pump;
pub use step::{End, Step, return_after};
pub use window::WindowLimits;
pub use worker::Worker;
