//! Memory budget for large request heads of all connections together.
//!
//! The first 8 KiB of a head are free, because every connection has a buffer of that size.
//! Additional bytes count against one budget. These bytes count until the connection ends, because
//! the HTTP library does not shrink a buffer.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Number of bytes of each head that do not count against the budget.
const FREE_BYTES: usize = 8 * 1024;
/// Budget of all heads together, in bytes beyond [`FREE_BYTES`] each.
const TOTAL_BYTES: usize = 32 * 1024 * 1024;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Bytes of the budget that one connection has reserved.
#[derive(Debug, Default)]
pub(super) struct HeadRoom(usize);

impl HeadRoom {
    /// Reserves budget for a head of this size in bytes. Returns whether the budget sufficed.
    pub(super) fn reserve(&mut self, bytes: usize) -> bool {
        self.reserve_of(&TAKEN, bytes)
    }

    fn reserve_of(&mut self, taken: &AtomicUsize, bytes: usize) -> bool {
        let more = bytes.saturating_sub(FREE_BYTES).saturating_sub(self.0);
        let fits = |taken: usize| Some(taken + more).filter(|taken| *taken <= TOTAL_BYTES);
        let has_room =
            more == 0 || taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok();
        if has_room {
            self.0 += more;
        }
        has_room
    }
}

impl Drop for HeadRoom {
    fn drop(&mut self) {
        TAKEN.fetch_sub(self.0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_heads_are_free_and_large_heads_share_one_budget() {
        let taken = AtomicUsize::new(TOTAL_BYTES - 100);
        let mut room = HeadRoom::default();
        assert!(room.reserve_of(&taken, FREE_BYTES));
        assert!(room.reserve_of(&taken, FREE_BYTES + 60));
        assert!(room.reserve_of(&taken, FREE_BYTES + 100), "its earlier reservation counts");
        assert!(!room.reserve_of(&taken, FREE_BYTES + 101));
        assert!(HeadRoom::default().reserve_of(&taken, FREE_BYTES));
        assert!(!HeadRoom::default().reserve_of(&taken, FREE_BYTES + 1));
        assert_eq!(taken.load(Ordering::Relaxed), TOTAL_BYTES);
        // The bytes were reserved from the local counter, so `drop` must not subtract them from the
        // static one.
        room.0 = 0;
    }
}
