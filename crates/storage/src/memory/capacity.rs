//! How much the store in memory holds.

use std::num::NonZeroUsize;

/// How much a store holds of each kind. Every kind is bounded by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Events in the log; older ones are trimmed.
    pub events: NonZeroUsize,
    /// Alerts; those that are over go first, and among each the oldest.
    pub alerts: NonZeroUsize,
    /// Chat messages; the oldest go first.
    pub messages: NonZeroUsize,
    /// Idempotency keys; the oldest go first.
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
