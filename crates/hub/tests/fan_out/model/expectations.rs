//! What there is to give, and whom it has reached, according to the model.

use super::WORKERS;
use northgate_hub::WindowLimits;

pub(super) struct Model {
    limits: WindowLimits,
    /// How many events the store holds.
    capacity: usize,
    /// The frame sizes of all events appended, the first one's at index 0.
    pub(super) sizes: Vec<usize>,
    pub(super) pumped: Log,
    /// What each worker has copied of it.
    pub(super) copied: [Log; WORKERS],
    pub(super) draining: bool,
    /// How many cursors have drained.
    drained: u64,
}

/// The offsets of a frame log, as if nothing had ever left it.
#[derive(Clone, Copy, Default)]
pub(super) struct Log {
    /// The newest one.
    pub(super) head: u64,
    /// Where it began anew because the store had trimmed what came next.
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

    /// The head of the store.
    pub(super) fn head(&self) -> u64 {
        self.sizes.len() as u64
    }

    /// How many events the store no longer holds.
    pub(super) fn trimmed(&self) -> u64 {
        self.head().saturating_sub(self.capacity as u64)
    }

    /// The size of the frame that follows an offset.
    pub(super) fn size_after(&self, after: u64) -> usize {
        self.sizes[index(after)]
    }

    /// Whether a cursor may drain now, as the one after so many.
    pub(super) fn drains(&mut self, turn: u64) -> bool {
        self.drained += 1;
        self.draining && turn + 1 == self.drained
    }

    /// Whether a worker knows of nothing after an offset.
    pub(super) fn is_at_head(&self, worker: usize, after: u64) -> bool {
        after >= self.copied[worker].head
    }

    /// Whether a worker's window holds what comes after an offset below its head.
    pub(super) fn window_holds(&self, worker: usize, after: u64) -> bool {
        let Log { head, restarted } = self.copied[worker];
        let sizes = &self.sizes[index(after)..index(head)];
        let fits =
            sizes.len() <= self.limits.frames && sizes.iter().sum::<usize>() <= self.limits.bytes;
        // The newest frame is held in any case.
        after >= restarted && (fits || sizes.len() == 1)
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}
