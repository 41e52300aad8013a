//! The hub: it wires the frame log, the pump and the workers, and ends them.

use crate::catch_up::CatchUpReader;
use crate::frame::Encoder;
use crate::frame_log::FrameLog;
use crate::pump::Pump;
use crate::window::WindowLimits;
use crate::worker::Worker;
use northgate_domain::Position;
use northgate_storage::EventLog;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A handle to the fan-out; clones are handles to the same one.
#[derive(Clone)]
pub struct Hub {
    log: Arc<FrameLog>,
    catch_up_reader: Arc<CatchUpReader>,
    head: watch::Receiver<Position>,
    cursors: TaskTracker,
    workers: TaskTracker,
    workers_stop: CancellationToken,
    /// Cancelled when a worker's task ends although nobody stopped it.
    worker_failed: CancellationToken,
}

impl Hub {
    /// A hub that fans out what is appended to `store` from now on, as bytes of `encoder`, and the
    /// pump that drives it.
    pub fn new(store: Arc<dyn EventLog>, limits: WindowLimits, encoder: Encoder) -> (Self, Pump) {
        let head = store.head();
        let start = *head.borrow();
        let log = Arc::new(FrameLog::new(limits, start));
        let hub = Self {
            log: log.clone(),
            catch_up_reader: Arc::new(CatchUpReader::new(store.clone(), encoder)),
            head,
            cursors: TaskTracker::new(),
            workers: TaskTracker::new(),
            workers_stop: CancellationToken::new(),
            worker_failed: CancellationToken::new(),
        };
        (hub, Pump::new(store, log, encoder, start))
    }

    /// This thread's part of the fan-out. Spawns its task on the `LocalSet` of the calling thread;
    /// the task ends with [`Hub::stop_workers`].
    pub fn worker(&self) -> Worker {
        let worker = Worker::new(
            self.log.clone(),
            self.catch_up_reader.clone(),
            self.head.clone(),
            self.cursors.clone(),
        );
        let running = worker.clone().run(self.workers_stop.clone());
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
        self.log.pumped()
    }

    /// Waits until the pump has reached what the store's head is now.
    pub async fn caught_up(&self) {
        let goal = *self.head.borrow();
        let mut pumped = self.log.pumped();
        // An error means that the pump is gone, which cannot be while `self` holds its sender.
        let _ = pumped.wait_for(|at| at.epoch == goal.epoch && at.offset >= goal.offset).await;
    }

    /// Lets every cursor end once it has given the frames that the log holds now.
    pub fn drain(&self) {
        self.log.drain();
    }

    /// Lets every cursor end at its next poll, wherever it stands.
    pub fn end(&self) {
        self.log.end();
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
