//! The model: which events exist, and which frames the pump and each worker have.

use super::WORKERS;
use northgate_hub::WindowLimits;

pub(super) struct Model {
    limits: WindowLimits,
    /// Maximum number of events that the store retains.
    capacity: usize,
    /// Frame sizes in bytes of all appended events, the first event at index 0.
    pub(super) sizes: Vec<usize>,
    pub(super) pumped: Log,
    /// The copy of each worker.
    pub(super) copied: [Log; WORKERS],
    pub(super) draining: bool,
    /// Number of cursors that have drained.
    drained: u64,
}

/// Offsets of a frame log without limits.
#[derive(Clone, Copy, Default)]
pub(super) struct Log {
    /// Offset of the newest frame.
    pub(super) head: u64,
    /// Offset after which the log restarted because the store had trimmed the next event.
    restarted: u64,
}

impl Model {
    pub(super) fn new(limits: WindowLimits, capacity: usize) -> Self {
        Self {
            limits,
            capacity,
            sizes: Vec::new(),
            pumped: Log::default(),
            copied: [Log::default(); WORKERS],
            draining: false,
            drained: 0,
        }
    }

    pub(super) fn pump(&mut self) {
        if self.pumped.head < self.trimmed() {
            self.pumped.restarted = self.head();
        }
        self.pumped.head = self.head();
    }

    /// Returns the offset of the store's head.
    pub(super) fn head(&self) -> u64 {
        self.sizes.len() as u64
    }

    /// Returns the number of events that the store has trimmed.
    pub(super) fn trimmed(&self) -> u64 {
        self.head().saturating_sub(self.capacity as u64)
    }

    /// Returns the size in bytes of the frame after an offset.
    pub(super) fn size_after(&self, after: u64) -> usize {
        self.sizes[index(after)]
    }

    /// Counts a drained cursor, and returns whether it may drain now with this turn.
    pub(super) fn drains(&mut self, turn: u64) -> bool {
        self.drained += 1;
        self.draining && turn + 1 == self.drained
    }

    /// Returns whether a worker has no frame after an offset.
    pub(super) fn is_at_head(&self, worker: usize, after: u64) -> bool {
        after >= self.copied[worker].head
    }

    /// Returns whether a worker's window retains every frame after an offset below its head.
    pub(super) fn window_holds(&self, worker: usize, after: u64) -> bool {
        let Log { head, restarted } = self.copied[worker];
        let sizes = &self.sizes[index(after)..index(head)];
        let fits =
            sizes.len() <= self.limits.frames && sizes.iter().sum::<usize>() <= self.limits.bytes;
        // The newest frame is always retained.
        after >= restarted && (fits || sizes.len() == 1)
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}
