//! The hub itself: the shared frame log, the workers that follow it, and the way it ends.

use crate::catch_up::CatchUpReader;
use crate::frame::Entry;
use crate::window::{Window, WindowLimits};
use crate::{Pump, Worker};
use northgate_domain::Position;
use northgate_storage::EventStore;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What cursors are to do at the end of the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Wait for more.
    Live,
    /// End once this position was given.
    Draining(Position),
    /// End at once.
    Over,
}

/// A handle to the fan-out; clones are handles to the same one.
#[derive(Clone)]
pub struct Hub {
    shared: Arc<Shared>,
    catch_up_reader: Arc<CatchUpReader>,
    head: watch::Receiver<Position>,
    cursors: TaskTracker,
    workers: TaskTracker,
    workers_stop: CancellationToken,
    /// Cancelled when a worker's task ends although nobody stopped it.
    worker_failed: CancellationToken,
}

/// What the pump writes and the workers read.
pub(crate) struct Shared {
    log: Mutex<Log>,
    /// Where the frame log ends, for those who wait for the pump.
    pumped: watch::Sender<Position>,
    /// How many cursors have drained.
    drained: AtomicU64,
}

struct Log {
    window: Window,
    phase: Phase,
    /// One per worker: notified after every change.
    wakes: Vec<Arc<Notify>>,
}

impl Hub {
    /// A hub that fans out what is appended to `store` from now on, and the pump that drives it.
    pub fn new(store: Arc<dyn EventStore>, limits: WindowLimits) -> (Self, Pump) {
        let head = store.head();
        let start = *head.borrow();
        let shared = Arc::new(Shared {
            log: Mutex::new(Log {
                window: Window::new(limits, start),
                phase: Phase::Live,
                wakes: Vec::new(),
            }),
            pumped: watch::Sender::new(start),
            drained: AtomicU64::new(0),
        });
        let catch_up_reader = Arc::new(CatchUpReader::new(store.clone()));
        let pump = Pump::new(store, shared.clone(), start);
        let hub = Self {
            shared,
            catch_up_reader,
            head,
            cursors: TaskTracker::new(),
            workers: TaskTracker::new(),
            workers_stop: CancellationToken::new(),
            worker_failed: CancellationToken::new(),
        };
        (hub, pump)
    }

    /// This thread's part of the fan-out. Spawns its task on the `LocalSet` of the calling thread;
    /// the task ends with [`Hub::stop_workers`].
    pub fn worker(&self) -> Worker {
        let wake = Arc::new(Notify::new());
        let (window, phase) = {
            let mut log = self.shared.log.lock();
            log.wakes.push(wake.clone());
            (log.window.clone(), log.phase)
        };
        let worker = Worker::new(
            self.shared.clone(),
            window,
            phase,
            self.catch_up_reader.clone(),
            self.head.clone(),
            self.cursors.clone(),
        );
        let running = worker.clone().run(wake, self.workers_stop.clone());
        let end = WorkerEnd { stop: self.workers_stop.clone(), failed: self.worker_failed.clone() };
        self.workers.spawn_local(async move {
            let _end = end;
            running.await;
        });
        worker
    }

    /// Returns once the task of a worker has ended before [`Hub::stop_workers`], as by a panic or
    /// with its thread: the connections of that thread get no events any more.
    pub async fn worker_failed(&self) {
        self.worker_failed.cancelled().await;
    }

    /// How many cursors there are now.
    pub fn cursors(&self) -> usize {
        self.cursors.len()
    }

    /// The newest position that was encoded for everyone, as it moves.
    pub fn pumped(&self) -> watch::Receiver<Position> {
        self.shared.pumped.subscribe()
    }

    /// Waits until the pump has reached what the store's head is now.
    pub async fn caught_up(&self) {
        let goal = *self.head.borrow();
        let mut pumped = self.shared.pumped.subscribe();
        // An error means that the pump is gone, which cannot be while `self` holds its sender.
        let _ = pumped.wait_for(|at| at.epoch == goal.epoch && at.offset >= goal.offset).await;
    }

    /// Lets every cursor end once it has given the frames that the log holds now.
    pub fn drain(&self) {
        let mut log = self.shared.log.lock();
        log.phase = Phase::Draining(log.window.head());
        log.wake_workers();
    }

    /// Lets every cursor end at its next poll, wherever it stands.
    pub fn end(&self) {
        let mut log = self.shared.log.lock();
        log.phase = Phase::Over;
        log.wake_workers();
    }

    /// Waits until no cursor is left. To be called once the hub is draining.
    pub async fn cursors_gone(&self) {
        self.cursors.close();
        self.cursors.wait().await;
    }

    /// Ends the workers' tasks and waits for them, and for what the last cursors asked of the store.
    pub async fn stop_workers(&self) {
        self.workers_stop.cancel();
        self.workers.close();
        self.workers.wait().await;
        self.catch_up_reader.questions_gone().await;
    }
}

/// Reports the end of a worker's task when it is dropped, however that comes about.
struct WorkerEnd {
    stop: CancellationToken,
    failed: CancellationToken,
}

impl Drop for WorkerEnd {
    fn drop(&mut self) {
        if !self.stop.is_cancelled() {
            self.failed.cancel();
        }
    }
}

impl Shared {
    /// Appends events and wakes every worker once.
    pub(crate) fn extend(&self, entries: Vec<Entry>) {
        let Some(last) = entries.last().map(|entry| entry.frame.position()) else {
            return;
        };
        {
            let mut log = self.log.lock();
            for entry in entries {
                log.window.push(entry);
            }
            log.wake_workers();
        }
        self.pumped.send_replace(last);
    }

    /// Begins anew after `head`: the frames between are lost to cursors that have not had them.
    pub(crate) fn restart(&self, head: Position) {
        {
            let mut log = self.log.lock();
            log.window = log.window.restarted(head);
            log.wake_workers();
        }
        self.pumped.send_replace(head);
    }

    /// Brings a worker's window up to date: one lock, and a copied handle for each new frame.
    pub(crate) fn refresh(&self, window: &mut Window) -> Phase {
        let log = self.log.lock();
        match log.window.since(window.head().offset) {
            Some(new) if log.window.head().epoch == window.head().epoch => {
                new.for_each(|entry| window.push(entry.clone()));
            }
            _ => window.clone_from(&log.window),
        }
        log.phase
    }

    /// Counts a cursor that has drained, and says how many did before it.
    pub(crate) fn count_drained(&self) -> u64 {
        self.drained.fetch_add(1, Ordering::Relaxed)
    }
}

impl Log {
    fn wake_workers(&self) {
        for wake in &self.wakes {
            wake.notify_one();
        }
    }
}
