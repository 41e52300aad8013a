//! How much memory the heads of requests may take, of all connections together.
//!
//! A small head is free: its connection has a buffer anyway. What goes beyond comes from one budget,
//! and is given back with the connection, since the HTTP library keeps a buffer that it has once
//! made larger.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What a head takes without asking.
const FREE_BYTES: usize = 8 * 1024;
/// What all large heads together may take beyond that.
const TOTAL_BYTES: usize = 32 * 1024 * 1024;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// What the heads of one connection take beyond what is free.
#[derive(Debug, Default)]
pub(super) struct HeadRoom(usize);

impl HeadRoom {
    /// Takes what a head of so many bytes needs. Returns whether there was room.
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
    fn small_heads_are_free_and_large_ones_share_what_there_is() {
        let taken = AtomicUsize::new(TOTAL_BYTES - 100);
        let mut room = HeadRoom::default();
        assert!(room.reserve_of(&taken, FREE_BYTES));
        assert!(room.reserve_of(&taken, FREE_BYTES + 60));
        assert!(room.reserve_of(&taken, FREE_BYTES + 100), "what it has counts");
        assert!(!room.reserve_of(&taken, FREE_BYTES + 101));
        assert!(HeadRoom::default().reserve_of(&taken, FREE_BYTES));
        assert!(!HeadRoom::default().reserve_of(&taken, FREE_BYTES + 1));
        assert_eq!(taken.load(Ordering::Relaxed), TOTAL_BYTES);
        // It belongs to another budget.
        room.0 = 0;
    }
}
