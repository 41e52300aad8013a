//! What the model says of a cursor.

use super::WORKERS;
use northgate_hub::{End, WindowLimits};
use std::collections::HashSet;

/// Where pages end. What the model appends is too small for the limit on bytes.
const PAGE_EVENTS: u64 = 64;
/// A cursor behind the window goes over to it when it is so near to the head.
const NEAR_HEAD: u64 = 256;

/// Where a cursor has what it gives next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Window,
    /// The store is being asked.
    PendingRead,
    /// The store has answered: a page up to this offset, or that it is too late.
    Answered(Option<u64>),
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
    /// After which offsets whole pages were read: they are kept for those who come by.
    kept: HashSet<u64>,
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
            kept: HashSet::new(),
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

    /// Everything runs that can: whoever waits for the store has an answer. Says whether it had
    /// none before.
    pub(super) fn read(&mut self, after: u64, place: &mut Place) -> bool {
        if *place != Place::PendingRead {
            return false;
        }
        let rest = PAGE_EVENTS - after % PAGE_EVENTS;
        let most = if rest < PAGE_EVENTS / 2 { rest + PAGE_EVENTS } else { rest };
        let held = after >= self.trimmed();
        // Others may have asked before, and the store have trimmed it since.
        let kept = self.kept.contains(&after);
        if held && after + most <= self.head() {
            self.kept.insert(after);
        }
        let last = if kept { after + most } else { self.head().min(after + most) };
        *place = Place::Answered((held || kept).then_some(last));
        true
    }

    /// What comes next for a cursor of `worker` that stands after an offset; its place moves along.
    pub(super) fn next(&mut self, worker: usize, after: u64, place: &mut Place) -> Next {
        let head = self.copied[worker].head;
        let at_head = after >= head;
        let in_window = at_head || self.window_holds(worker, after);
        *place = match *place {
            Place::Answered(Some(last)) => Place::Page(last),
            Place::Answered(None) if in_window => Place::Window,
            Place::Answered(None) => Place::Nowhere(End::TooFarBehind),
            place => place,
        };
        if matches!(*place, Place::Page(last) if after >= last) {
            let near = at_head || (in_window && head - after <= NEAR_HEAD);
            *place = if near { Place::Window } else { Place::PendingRead };
        }
        if *place == Place::Window && at_head && self.draining {
            *place = Place::Nowhere(End::Drained { turn: self.drained });
            self.drained += 1;
        }
        if *place == Place::Window && !in_window {
            *place = Place::PendingRead;
        }
        match *place {
            Place::Nowhere(end) => Next::End(end),
            Place::PendingRead | Place::Answered(_) => Next::Pause,
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
