//! One worker thread's part: its copy of the window, and the cursors to wake.

use crate::Cursor;
use crate::hub::{Phase, Shared};
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

/// The fan-out as one thread sees it. Clones are handles to the same one; it stays on its thread.
#[derive(Clone)]
pub struct Worker {
    local: Rc<RefCell<Local>>,
    shared: Arc<Shared>,
    head: watch::Receiver<Position>,
    cursors: TaskTracker,
}

/// What belongs to the thread. Borrowed for moments only: never across an await, and never while
/// anything of ours is polled.
pub(crate) struct Local {
    pub(crate) window: Window,
    pub(crate) phase: Phase,
    parked: Slab<Parking>,
}

/// The place of one cursor.
#[derive(Default)]
struct Parking {
    waker: Option<Waker>,
    /// Whether the cursor waits for more, and so is to be woken.
    waits: bool,
}

impl Worker {
    pub(crate) fn new(
        shared: Arc<Shared>,
        window: Window,
        phase: Phase,
        head: watch::Receiver<Position>,
        cursors: TaskTracker,
    ) -> Self {
        let local = Local { window, phase, parked: Slab::new() };
        Self { local: Rc::new(RefCell::new(local)), shared, head, cursors }
    }

    /// The newest position that the store has answered for. A connection that starts here never
    /// receives an event that was answered before it came.
    pub fn head(&self) -> Position {
        *self.head.borrow()
    }

    /// A cursor that gives every event after `after`.
    pub fn cursor(&self, after: Position) -> Cursor {
        Cursor::new(self.local.clone(), after, self.cursors.token())
    }

    pub(crate) async fn run(self, wake: Arc<Notify>, stop: CancellationToken) {
        while stop.run_until_cancelled(wake.notified()).await.is_some() {
            let mut local = self.local.borrow_mut();
            local.phase = self.shared.refresh(&mut local.window);
            local.wake_cursors();
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

    /// Remembers whom to wake when there is more. Cloning the waker is for the first time only.
    pub(crate) fn park(&mut self, key: usize, waker: &Waker) {
        let Some(parking) = self.parked.get_mut(key) else {
            return;
        };
        parking.waits = true;
        match &mut parking.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    fn wake_cursors(&mut self) {
        for (_, parking) in &mut self.parked {
            if std::mem::take(&mut parking.waits)
                && let Some(waker) = &parking.waker
            {
                waker.wake_by_ref();
            }
        }
    }
}
