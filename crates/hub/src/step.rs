//! The steps that a cursor returns, and the reasons why a cursor ends.

use crate::frame::Frame;
use northgate_domain::Notice;
use std::time::Duration;

/// One result of polling a cursor.
#[derive(Debug, Clone)]
pub enum Step {
    /// The next event.
    Frame(Frame),
    /// Progress of the stream.
    Notice(Notice),
    /// The stream has ended. Every later poll returns the same end.
    End(End),
}

/// Why a cursor ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The hub is shutting down, and the cursor has returned every frame.
    Drained {
        /// Number of cursors that drained before this one; see [`return_after`].
        turn: u64,
    },
    /// The hub has shut down. The cursor may not have returned every frame.
    Cut,
    /// The store no longer retains the next event, or the cursor made no progress for 30 s: the
    /// client did not read, or the store could not be read.
    TooFarBehind,
    /// The store could not be read to find the start of the stream.
    Unavailable,
}

/// Returns the time after which the client of a drained cursor should reconnect: 1 s, plus 1 ms for
/// each cursor that drained before it. The delay spreads the load on a restarted server.
pub fn return_after(turn: u64) -> Duration {
    const FIRST: Duration = Duration::from_secs(1);
    const EACH: Duration = Duration::from_millis(1);
    FIRST + EACH * u32::try_from(turn).unwrap_or(u32::MAX)
}
