//! The live fan-out: one shared log of encoded frames, and a cursor for every connection.
//!
//! The [`Pump`] follows the store's tail, encodes each event once, and appends it to the frame
//! log. Every worker thread holds a [`Worker`]: woken once per batch, it takes the log's lock
//! once, copies the new frames' handles into its own window, and wakes the connections of its own
//! thread. A connection is a [`Cursor`] into that window and nothing else: it has no queue, so a
//! slow one costs no memory and delays nobody.
//!
//! Who owns what: the pump's task alone appends to the shared log (a mutex, held for copies of
//! handles only and never across an await); each window, and every cursor on it, belongs to one
//! worker thread.
#![warn(missing_docs)]

mod cursor;
mod frame;
mod hub;
mod pump;
mod window;
mod worker;

pub use cursor::{Cursor, End, Step};
pub use frame::Frame;
pub use hub::Hub;
pub use pump::Pump;
pub use window::WindowLimits;
pub use worker::Worker;
