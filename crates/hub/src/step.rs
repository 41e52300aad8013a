//! What a cursor gives, and how it ends.

use crate::frame::Frame;
use northgate_domain::Notice;
use std::time::Duration;

/// What a cursor gives next.
#[derive(Debug, Clone)]
pub enum Step {
    /// The next event.
    Frame(Frame),
    /// Where the stream is.
    Notice(Notice),
    /// Nothing any more. Polling on gives the same.
    End(End),
}

/// Why a cursor ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The hub is leaving, and everything was given.
    Drained {
        /// How many cursors were done before this one: for spreading their clients' return.
        turn: u64,
    },
    /// The hub is gone, and something may be missing.
    Cut,
    /// The store no longer holds the next event, or the client takes too little for too long.
    TooFarBehind,
    /// The store could not say where the stream begins.
    Unavailable,
}

/// After what time the client of a cursor that has drained should connect again: the more were done
/// before it, the later, so that a server that starts anew is not asked by all at once.
pub fn return_after(turn: u64) -> Duration {
    const FIRST: Duration = Duration::from_secs(1);
    const EACH: Duration = Duration::from_millis(1);
    FIRST + EACH * u32::try_from(turn).unwrap_or(u32::MAX)
}
