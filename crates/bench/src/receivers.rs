//! The receivers: all sockets of a scenario, distributed over a few threads that read and check.

mod event_loop;
mod socket;
mod stats;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mio::Waker;

use crate::clock;
use crate::connect::{self, Endpoint, OpenConnection};
use crate::error::{BenchError, Result};
use crate::marker::Run;
use event_loop::{EventLoop, Progress, ReceiverCommand};
use stats::DeliveryRecorder;
pub(crate) use stats::{DeliveryStats, Ending, Endings};

/// Interval at which the owner reads the progress while it waits.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(2);
/// Time without progress after which the owner stops waiting.
const DELIVERY_LIMIT: Duration = Duration::from_secs(5);
const REPLY_LIMIT: Duration = Duration::from_mins(1);

/// The open sockets of a scenario, closed on drop.
pub(crate) struct Receivers {
    threads: Vec<ReceiverThread>,
}

struct ReceiverThread {
    sockets: usize,
    commands: Option<Sender<ReceiverCommand>>,
    waker: Waker,
    progress: Arc<Progress>,
    handle: Option<JoinHandle<std::io::Result<()>>>,
}

impl Receivers {
    /// Opens `sockets` sockets and distributes them over `threads` threads.
    pub(crate) fn connect(endpoint: &Endpoint, sockets: usize, threads: u16) -> Result<Self> {
        Self::adopt(connect::open(endpoint, sockets)?, threads, &Run::begin(), 1)
    }

    /// Creates receivers from open sockets. The alerts of `run` are counted from the first frame
    /// on.
    pub(crate) fn adopt(
        mut opened: Vec<OpenConnection>,
        threads: u16,
        run: &Run,
        publishers: usize,
    ) -> Result<Self> {
        let share = opened.len().div_ceil(usize::from(threads).max(1)).max(1);
        let mut started = Vec::new();
        while !opened.is_empty() {
            let part = opened.split_off(opened.len().saturating_sub(share));
            started.push(ReceiverThread::start(part, run, publishers)?);
        }
        Ok(Self { threads: started })
    }

    pub(crate) fn sockets(&self) -> usize {
        self.threads.iter().map(|thread| thread.sockets).sum()
    }

    /// Counts the alerts of this run from now on.
    pub(crate) fn record(&self, run: &Run, publishers: usize) -> Result<()> {
        for thread in &self.threads {
            let recorder = DeliveryRecorder::new(run, thread.sockets, publishers)?;
            thread.send(ReceiverCommand::Record(Box::new(recorder)))?;
        }
        // The reply proves that the thread has replaced its recorder and reset its progress.
        for thread in &self.threads {
            thread.conclude(&Arc::from([]))?;
        }
        Ok(())
    }

    /// Waits for this number of deliveries, or until no delivery has arrived for
    /// [`DELIVERY_LIMIT`].
    pub(crate) fn settle(&self, deliveries: u64) {
        self.wait_until(|progress| &progress.delivered, deliveries);
    }

    /// Waits until every socket has ended, for example after the server's exit, or until no socket
    /// has ended for [`DELIVERY_LIMIT`].
    pub(crate) fn settle_endings(&self) {
        self.wait_until(|progress| &progress.ended, self.sockets() as u64);
    }

    fn sum(&self, of: impl Fn(&Progress) -> &std::sync::atomic::AtomicU64) -> u64 {
        self.threads.iter().map(|thread| of(&thread.progress).load(Ordering::Relaxed)).sum()
    }

    fn wait_until(
        &self,
        of: impl Fn(&Progress) -> &std::sync::atomic::AtomicU64 + Copy,
        wanted: u64,
    ) {
        let mut reached = self.sum(of);
        let mut moved_at = clock::now();
        while reached < wanted && clock::now() - moved_at < clock::nanos(DELIVERY_LIMIT) {
            thread::sleep(PROGRESS_INTERVAL);
            let present = self.sum(of);
            if present != reached {
                reached = present;
                moved_at = clock::now();
            }
        }
    }

    /// Returns the deliveries of the run, checked against the answered alerts of each publisher.
    pub(crate) fn conclude(&self, answered: &[u32]) -> Result<(DeliveryStats, Endings)> {
        let answered: Arc<[u32]> = answered.into();
        let mut stats = DeliveryStats::new()?;
        let mut endings = Endings::default();
        for thread in &self.threads {
            let (part, ended) = thread.conclude(&answered)?;
            stats.merge(&part);
            endings.merge(ended);
        }
        Ok((stats, endings))
    }
}

impl ReceiverThread {
    fn start(part: Vec<OpenConnection>, run: &Run, publishers: usize) -> Result<Self> {
        let sockets = part.len();
        let (commands, inbox) = mpsc::channel();
        let progress = Arc::new(Progress::default());
        let recorder = DeliveryRecorder::new(run, sockets, publishers)?;
        let (event_loop, waker) = EventLoop::new(part, recorder, inbox, Arc::clone(&progress))
            .map_err(BenchError::Poll)?;
        let handle = thread::spawn(move || event_loop.run());
        Ok(Self { sockets, commands: Some(commands), waker, progress, handle: Some(handle) })
    }

    fn send(&self, command: ReceiverCommand) -> Result<()> {
        let commands = self.commands.as_ref().ok_or(BenchError::ThreadGone)?;
        commands.send(command).map_err(|_| BenchError::ThreadGone)?;
        self.waker.wake().map_err(BenchError::Poll)
    }

    fn conclude(&self, answered: &Arc<[u32]>) -> Result<(DeliveryStats, Endings)> {
        let (reply, result) = mpsc::channel();
        let answered = Arc::clone(answered);
        self.send(ReceiverCommand::Conclude { answered, reply })?;
        result.recv_timeout(REPLY_LIMIT).map_err(|_| BenchError::ThreadGone)
    }
}

impl Drop for ReceiverThread {
    fn drop(&mut self) {
        drop(self.commands.take());
        if self.waker.wake().is_ok()
            && let Some(handle) = self.handle.take()
        {
            // If the thread ended early, the last command has already reported that.
            let _reported = handle.join();
        }
    }
}
