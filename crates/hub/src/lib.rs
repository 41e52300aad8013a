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
