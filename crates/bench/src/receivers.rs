//! The receivers: all sockets of a scenario, spread over a few threads that read and check them.

mod reader;
mod slot;
mod tally;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mio::Waker;

use crate::clock;
use crate::connect::{self, Feed, Opened};
use crate::error::BenchError;
use crate::marker::Run;
use reader::{Order, Progress, Reader};
pub(crate) use tally::{Ending, Endings, Tally, Watch};

/// How often the owner looks at the receivers while it waits for them.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// Deliveries that stay away for so long will not come.
const PATIENCE: Duration = Duration::from_secs(5);
const REPLY_LIMIT: Duration = Duration::from_mins(1);

/// The open sockets of a scenario. Dropping it closes them.
pub(crate) struct Fleet {
    threads: Vec<Owned>,
}

struct Owned {
    sockets: usize,
    orders: Option<Sender<Order>>,
    waker: Waker,
    progress: Arc<Progress>,
    handle: Option<JoinHandle<std::io::Result<()>>>,
}

impl Fleet {
    /// Opens `sockets` and spreads them over `threads`.
    pub(crate) fn connect(feed: &Feed, sockets: usize, threads: usize) -> Result<Self, BenchError> {
        Self::adopt(connect::open(feed, sockets)?, threads, &Run::begin(), 1)
    }

    /// Takes sockets that are open already; `run` counts from their first frame on.
    pub(crate) fn adopt(
        mut opened: Vec<Opened>,
        threads: usize,
        run: &Run,
        publishers: usize,
    ) -> Result<Self, BenchError> {
        let share = opened.len().div_ceil(threads.max(1)).max(1);
        let mut owned = Vec::new();
        while !opened.is_empty() {
            let part = opened.split_off(opened.len().saturating_sub(share));
            owned.push(Owned::start(part, run, publishers)?);
        }
        Ok(Self { threads: owned })
    }

    pub(crate) fn sockets(&self) -> usize {
        self.threads.iter().map(|thread| thread.sockets).sum()
    }

    /// From now on, count the alerts of this run.
    pub(crate) fn watch(&self, run: &Run, publishers: usize) -> Result<(), BenchError> {
        for thread in &self.threads {
            let watch = Watch::new(run, thread.sockets, publishers)?;
            thread.order(Order::Watch(Box::new(watch)))?;
        }
        // The answer proves that the thread counts anew, and that its progress says so.
        for thread in &self.threads {
            thread.conclude(&Arc::from([]))?;
        }
        Ok(())
    }

    /// Waits for so many deliveries; gives up when none has come for a while.
    pub(crate) fn settle(&self, deliveries: u64) {
        self.wait_until(|progress| &progress.delivered, deliveries, PATIENCE);
    }

    /// Waits until every socket has ended, as after the server's exit.
    pub(crate) fn settle_endings(&self) {
        self.wait_until(|progress| &progress.ended, self.sockets() as u64, PATIENCE);
    }

    fn sum(&self, of: impl Fn(&Progress) -> &std::sync::atomic::AtomicU64) -> u64 {
        self.threads.iter().map(|thread| of(&thread.progress).load(Ordering::Relaxed)).sum()
    }

    fn wait_until(
        &self,
        of: impl Fn(&Progress) -> &std::sync::atomic::AtomicU64 + Copy,
        wanted: u64,
        patience: Duration,
    ) {
        let mut reached = self.sum(of);
        let mut moved_at = clock::now();
        while reached < wanted && clock::now() - moved_at < clock::nanos(patience) {
            thread::sleep(LOOK_EVERY);
            let present = self.sum(of);
            if present != reached {
                reached = present;
                moved_at = clock::now();
            }
        }
    }

    /// What the sockets saw of the run, judged against each publisher's answered alerts.
    pub(crate) fn conclude(&self, answered: &[u32]) -> Result<(Tally, Endings), BenchError> {
        let answered: Arc<[u32]> = answered.into();
        // With no socket at all, nothing was seen and nothing is missing.
        let mut tally = Watch::new(&Run::begin(), 0, answered.len())?.conclude(&answered);
        let mut endings = Endings::default();
        for thread in &self.threads {
            let (seen, ended) = thread.conclude(&answered)?;
            tally.merge(&seen);
            endings.merge(ended);
        }
        Ok((tally, endings))
    }
}

impl Owned {
    fn start(part: Vec<Opened>, run: &Run, publishers: usize) -> Result<Self, BenchError> {
        let sockets = part.len();
        let (orders, inbox) = mpsc::channel();
        let progress = Arc::new(Progress::default());
        let watch = Watch::new(run, sockets, publishers)?;
        let (reader, waker) =
            Reader::new(part, watch, inbox, Arc::clone(&progress)).map_err(BenchError::Poll)?;
        let handle = thread::spawn(move || reader.run());
        Ok(Self { sockets, orders: Some(orders), waker, progress, handle: Some(handle) })
    }

    fn order(&self, order: Order) -> Result<(), BenchError> {
        let orders = self.orders.as_ref().ok_or(BenchError::ThreadGone)?;
        orders.send(order).map_err(|_| BenchError::ThreadGone)?;
        self.waker.wake().map_err(BenchError::Poll)
    }

    fn conclude(&self, answered: &Arc<[u32]>) -> Result<(Tally, Endings), BenchError> {
        let (reply, told) = mpsc::channel();
        let answered = Arc::clone(answered);
        self.order(Order::Conclude { answered, reply })?;
        told.recv_timeout(REPLY_LIMIT).map_err(|_| BenchError::ThreadGone)
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        drop(self.orders.take());
        if self.waker.wake().is_ok()
            && let Some(handle) = self.handle.take()
        {
            // Whatever ended the thread early was told to whoever asked it last.
            let _told = handle.join();
        }
    }
}
