//! The shared log of frames: the pump appends to the log, and every worker copies from the log.

use crate::frame::Entry;
use crate::window::{Window, WindowLimits};
use northgate_domain::Position;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Notify, watch};

/// Phase of the hub, which decides when a cursor ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// A cursor that has returned all frames waits for more.
    Live,
    /// A cursor ends once it has reached this position.
    Draining(Position),
    /// A cursor ends at its next poll, even if it has not returned all frames.
    Over,
}

/// State that all threads share. The lock is held only to append or copy handles, and never across
/// an await.
pub(crate) struct FrameLog {
    state: Mutex<State>,
    /// Newest position in the log, for tasks that wait for the pump.
    pumped: watch::Sender<Position>,
    /// Number of cursors that have drained.
    drained: AtomicU64,
}

struct State {
    window: Window,
    phase: Phase,
    /// One for each worker, notified after every change.
    wakes: Vec<Arc<Notify>>,
}

impl FrameLog {
    /// Creates an empty log after `start`.
    pub(crate) fn new(limits: WindowLimits, start: Position) -> Self {
        let window = Window::new(limits, start);
        let state = Mutex::new(State { window, phase: Phase::Live, wakes: Vec::new() });
        Self { state, pumped: watch::Sender::new(start), drained: AtomicU64::new(0) }
    }

    /// Returns the current window and phase. `wake` is notified after every later change.
    pub(crate) fn follow(&self, wake: Arc<Notify>) -> (Window, Phase) {
        let mut state = self.state.lock();
        state.wakes.push(wake);
        (state.window.clone(), state.phase)
    }

    /// Returns a receiver of the newest position in the log.
    pub(crate) fn pumped(&self) -> watch::Receiver<Position> {
        self.pumped.subscribe()
    }

    /// Appends events and wakes every worker once.
    pub(crate) fn extend(&self, entries: Vec<Entry>) {
        let Some(last) = entries.last().map(|entry| entry.frame.position()) else {
            return;
        };
        self.change(|state| {
            for entry in entries {
                state.window.push(entry);
            }
        });
        self.pumped.send_replace(last);
    }

    /// Restarts the log, without frames, after `head`. A cursor that has not reached `head` reads
    /// the events up to `head` from the store, or ends if the store no longer retains them.
    pub(crate) fn restart(&self, head: Position) {
        self.change(|state| state.window = state.window.restarted(head));
        self.pumped.send_replace(head);
    }

    /// Lets every cursor end once it has returned every frame up to the current head of the log.
    pub(crate) fn drain(&self) {
        self.change(|state| state.phase = Phase::Draining(state.window.head()));
    }

    /// Lets every cursor end at its next poll.
    pub(crate) fn end(&self) {
        self.change(|state| state.phase = Phase::Over);
    }

    /// Updates a worker's window: acquires the lock once, and copies a handle for each new frame.
    /// Returns the current phase.
    pub(crate) fn refresh(&self, window: &mut Window) -> Phase {
        let state = self.state.lock();
        match state.window.since(window.head().offset) {
            Some(new) if state.window.head().epoch == window.head().epoch => {
                new.for_each(|entry| window.push(entry.clone()));
            }
            _ => window.clone_from(&state.window),
        }
        state.phase
    }

    /// Counts a cursor that has drained. Returns the number of cursors that drained before this
    /// one.
    pub(crate) fn count_drained(&self) -> u64 {
        self.drained.fetch_add(1, Ordering::Relaxed)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock();
        change(&mut state);
        for wake in &state.wakes {
            wake.notify_one();
        }
    }
}
