//! The live fan-out: one shared log of encoded frames, and a cursor for every connection.
//!
//! The [`Pump`] follows the store's tail, encodes each event once, and appends it to the frame
//! log. Every worker thread holds a [`Worker`]: woken once per batch, it takes the log's lock
//! once, copies the new frames' handles into its own window, and wakes the connections of its own
//! thread. A connection is a [`Cursor`] into that window and nothing else: it has no queue, so a
//! slow one costs no memory and delays nobody. One that is behind the window, because it resumes or
//! because it is slow, reads the store a page at a time until it reaches the window again: live,
//! resuming and slow are one thing at different distances from the head.
//!
//! Who owns what: the pump's task alone appends to the shared log (a mutex, held for copies of
//! handles only and never across an await); each window, and every cursor on it, belongs to one
//! worker thread. A cursor's read of the store belongs to the cursor, and goes with it.
#![warn(missing_docs)]

mod catch_up;
mod connection_limiter;
mod cursor;
mod frame;
mod hub;
mod page;
mod progress_notifier;
mod pump;
mod window;
mod worker;

pub use connection_limiter::{
    ConnectionLimitReached, ConnectionLimiter, ConnectionLimits, ConnectionPermit,
};
pub use cursor::{Cursor, End, Step, return_after};
pub use frame::{Frame, text_frame};
pub use hub::Hub;
pub use pump::Pump;
pub use window::WindowLimits;
pub use worker::Worker;

use std::time::Duration;

/// How long a cursor behind the window may go without progress: while the store does not answer,
/// or while its client takes nothing.
const PATIENCE: Duration = Duration::from_secs(30);
