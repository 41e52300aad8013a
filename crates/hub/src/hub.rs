//! The hub: connects the frame log, the pump and the workers, and shuts them down.

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

/// A handle to the fan-out. Clones are handles to the same fan-out.
#[derive(Clone)]
pub struct Hub {
    log: Arc<FrameLog>,
    catch_up_reader: Arc<CatchUpReader>,
    head: watch::Receiver<Position>,
    cursors: TaskTracker,
    workers: TaskTracker,
    workers_stop: CancellationToken,
    /// Cancelled when a worker's task ends before [`Hub::stop_workers`].
    worker_failed: CancellationToken,
}

impl Hub {
    /// Creates a hub and the pump that drives the hub. The hub fans out every event that is
    /// appended to `store` after this call, encoded by `encoder`.
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

    /// Creates the worker of the calling thread. Spawns the worker's task on the thread's
    /// `LocalSet`. [`Hub::stop_workers`] ends this task.
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

    /// Waits until a worker's task ends although [`Hub::stop_workers`] was not called, for example
    /// because of a panic or because its thread ended. The connections of that thread then receive
    /// no more events.
    pub async fn worker_failed(&self) {
        self.worker_failed.cancelled().await;
    }

    /// Returns the current number of cursors.
    pub fn cursors(&self) -> usize {
        self.cursors.len()
    }

    /// Returns a receiver of the newest position that the pump has appended to the frame log.
    pub fn pumped(&self) -> watch::Receiver<Position> {
        self.log.pumped()
    }

    /// Waits until the frame log contains every event up to the store's head at the time of this
    /// call.
    pub async fn caught_up(&self) {
        let goal = *self.head.borrow();
        let mut pumped = self.log.pumped();
        // An error would mean that the sender is closed, but `self.log` owns the sender.
        let _ = pumped.wait_for(|at| at.epoch == goal.epoch && at.offset >= goal.offset).await;
    }

    /// Lets every cursor end once it has returned every frame up to the current head of the frame
    /// log.
    pub fn drain(&self) {
        self.log.drain();
    }

    /// Lets every cursor end at its next poll, even if it has not returned all frames.
    pub fn end(&self) {
        self.log.end();
    }

    /// Waits until every cursor is dropped. Call this function after [`Hub::drain`] or
    /// [`Hub::end`].
    pub async fn cursors_gone(&self) {
        self.cursors.close();
        self.cursors.wait().await;
    }

    /// Stops the workers' tasks. Waits until these tasks and all running store reads have ended.
    pub async fn stop_workers(&self) {
        self.workers_stop.cancel();
        self.workers.close();
        self.workers.wait().await;
        self.catch_up_reader.questions_gone().await;
    }
}

/// Guard in a worker's task. Its drop reports that the task ended without a stop, for example by a
/// panic.
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
