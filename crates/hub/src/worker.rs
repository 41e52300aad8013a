//! The worker of one thread: its copy of the window, and the cursors that wait for new events.

use crate::catch_up::CatchUpReader;
use crate::frame_log::{FrameLog, Phase};
use crate::window::Window;
use northgate_domain::Position;
use slab::Slab;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The fan-out of one thread. Clones are handles to the same worker, and cannot leave the thread.
#[derive(Clone)]
pub struct Worker(pub(crate) Rc<Thread>);

/// State that the cursors of one thread share.
pub(crate) struct Thread {
    pub(crate) local: RefCell<Local>,
    pub(crate) log: Arc<FrameLog>,
    pub(crate) catch_up_reader: Arc<CatchUpReader>,
    pub(crate) cursors: TaskTracker,
    head: watch::Receiver<Position>,
    /// Notified after every change of the frame log.
    wake: Arc<Notify>,
}

/// Mutable state of the thread. Never borrowed across an await, or while this crate polls a future.
pub(crate) struct Local {
    pub(crate) window: Window,
    pub(crate) phase: Phase,
    parked: Slab<Parking>,
}

/// Waker of one cursor, and the change for which the cursor waits.
#[derive(Default)]
struct Parking {
    waker: Option<Waker>,
    waits: Waits,
}

/// Change for which a cursor is to be woken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Waits {
    #[default]
    Nothing,
    /// New events or a new phase.
    Events,
    /// A new phase only. For events, the cursor's read of the store wakes the cursor.
    Phase,
}

impl Worker {
    pub(crate) fn new(
        log: Arc<FrameLog>,
        catch_up_reader: Arc<CatchUpReader>,
        head: watch::Receiver<Position>,
        cursors: TaskTracker,
    ) -> Self {
        let wake = Arc::new(Notify::new());
        let (window, phase) = log.follow(wake.clone());
        let local = RefCell::new(Local { window, phase, parked: Slab::new() });
        Self(Rc::new(Thread { local, log, catch_up_reader, cursors, head, wake }))
    }

    /// Returns the newest position that the store has committed. A cursor that starts at this
    /// position returns no event whose write was answered before this call.
    pub fn head(&self) -> Position {
        *self.0.head.borrow()
    }

    pub(crate) async fn run(self, stop: CancellationToken) {
        while stop.run_until_cancelled(self.0.wake.notified()).await.is_some() {
            let mut local = self.0.local.borrow_mut();
            let phase = self.0.log.refresh(&mut local.window);
            let changed = std::mem::replace(&mut local.phase, phase) != phase;
            local.wake_cursors(changed);
        }
    }
}

impl Local {
    pub(crate) fn admit(&mut self) -> usize {
        self.parked.insert(Parking::default())
    }

    pub(crate) fn dismiss(&mut self, key: usize) {
        self.parked.try_remove(key);
    }

    /// Stores the waker of a cursor and the change for which the cursor waits. The waker is cloned
    /// only if it differs from the stored one.
    pub(crate) fn park(&mut self, key: usize, waits: Waits, waker: &Waker) {
        let Some(parking) = self.parked.get_mut(key) else {
            return;
        };
        parking.waits = waits;
        match &mut parking.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    fn wake_cursors(&mut self, phase_changed: bool) {
        for (_, parking) in &mut self.parked {
            let due = match parking.waits {
                Waits::Nothing => false,
                Waits::Events => true,
                Waits::Phase => phase_changed,
            };
            if due {
                parking.waits = Waits::Nothing;
                if let Some(waker) = &parking.waker {
                    waker.wake_by_ref();
                }
            }
        }
    }
}
