//! What the model says of a cursor.

use super::WORKERS;
use northgate_hub::{End, WindowLimits};

/// The most events that a cursor behind the window reads at once. What the model appends is too
/// small for the limit on bytes.
const PAGE_EVENTS: u64 = 128;

/// Where a cursor has what it gives next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Window,
    /// It made a pause before it reads the store.
    Pausing,
    /// It has a page up to this offset in hand.
    Page(u64),
    /// It has ended, and gives nothing any more.
    Nowhere(End),
}

/// What there is to give, and whom it has reached.
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

/// What a cursor gives, according to the model.
#[derive(Debug)]
pub(super) enum Next {
    /// The event after the one before.
    Frame {
        size: usize,
    },
    /// Nothing now, and more when it is polled again.
    Pause,
    /// Nothing until there is more.
    Nothing,
    End(End),
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

    /// What comes next for a cursor of `worker` that stands after an offset; its place moves along.
    pub(super) fn next(&mut self, worker: usize, after: u64, place: &mut Place) -> Next {
        if *place == Place::Pausing {
            *place = if after < self.trimmed() {
                Place::Nowhere(End::TooFarBehind)
            } else {
                Place::Page(self.head().min(after + PAGE_EVENTS))
            };
        }
        if matches!(*place, Place::Page(last) if after >= last) {
            *place = Place::Window;
        }
        let at_head = after >= self.copied[worker].head;
        if *place == Place::Window && at_head && self.draining {
            *place = Place::Nowhere(End::Drained { turn: self.drained });
            self.drained += 1;
        }
        if *place == Place::Window && !at_head && !self.window_holds(worker, after) {
            *place = Place::Pausing;
        }
        match *place {
            Place::Nowhere(end) => Next::End(end),
            Place::Pausing => Next::Pause,
            Place::Window if at_head => Next::Nothing,
            Place::Window | Place::Page(_) => Next::Frame { size: self.sizes[index(after)] },
        }
    }

    /// Whether a worker's window holds what comes after an offset below its head.
    fn window_holds(&self, worker: usize, after: u64) -> bool {
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
