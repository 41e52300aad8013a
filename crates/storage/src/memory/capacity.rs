//! Limits of the store in memory.

use std::num::NonZeroUsize;

/// Limits of a store. Each kind of data has its own limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Upper bound of events in the log; older ones are trimmed.
    pub events: NonZeroUsize,
    /// Upper bound of alerts. Resolved alerts are evicted first, then others; in both groups the
    /// oldest first.
    pub alerts: NonZeroUsize,
    /// Upper bound of chat messages; the oldest are evicted first.
    pub messages: NonZeroUsize,
    /// Upper bound of idempotency keys; the oldest are forgotten first.
    pub keys: NonZeroUsize,
}

impl Default for Capacity {
    fn default() -> Self {
        const fn count(n: usize) -> NonZeroUsize {
            match NonZeroUsize::new(n) {
                Some(n) => n,
                None => NonZeroUsize::MIN,
            }
        }
        Self {
            events: count(10_000),
            alerts: count(10_000),
            messages: count(1_000),
            keys: count(10_000),
        }
    }
}
