//! The publishers: alerts at a pace, or as fast as their answers come.

mod closed;
mod paced;

use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;

use crate::clock::Nanos;
use crate::error::BenchError;
use crate::latency::Latency;
use crate::marker::Run;
use paced::Schedule;
pub(crate) use paced::first_answer;

/// How alerts are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// So many a second in all, whether or not the answers keep up.
    Rate { alerts: u32, per_second: f64 },
    /// One in flight for each publisher, until so many are sent or so much time has passed.
    Closed { alerts: u32, limit: Nanos },
}

/// What is published during one phase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) publishers: usize,
    pub(crate) pace: Pace,
    /// Bytes of the alert's text.
    pub(crate) message_bytes: usize,
}

/// What the publishers brought home.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    /// For each publisher, how many alerts were answered with 2xx: its numbers from zero up to this.
    pub(crate) answered: Vec<u32>,
    /// From the intended moment (paced) or from sending (closed) to the answer.
    pub(crate) latency: Latency,
    pub(crate) started: Nanos,
    pub(crate) finished: Nanos,
    /// Why publishers stopped early. Each stops at its first failure.
    pub(crate) failures: Vec<String>,
}

impl Published {
    fn new(publishers: usize) -> Result<Self, BenchError> {
        Ok(Self {
            answered: vec![0; publishers],
            latency: Latency::new()?,
            started: Nanos::MAX,
            finished: 0,
            failures: Vec::new(),
        })
    }

    pub(crate) fn total(&self) -> u64 {
        self.answered.iter().map(|&count| u64::from(count)).sum()
    }

    /// From the first alert to the last answer.
    pub(crate) fn span(&self) -> Nanos {
        self.finished.saturating_sub(self.started)
    }
}

/// Publishes the plan and returns when every publisher is done.
pub(crate) fn publish(
    address: SocketAddr,
    run: &Run,
    plan: &Plan,
) -> Result<Published, BenchError> {
    publish_until(address, run, plan, &AtomicBool::new(false))
}

/// The same, but a paced plan ends early once `over` is set.
pub(crate) fn publish_until(
    address: SocketAddr,
    run: &Run,
    plan: &Plan,
    over: &AtomicBool,
) -> Result<Published, BenchError> {
    match plan.pace {
        Pace::Rate { alerts, per_second } => {
            paced::publish(address, run, plan, &Schedule { alerts, per_second, over })
        }
        Pace::Closed { alerts, limit } => closed::publish(address, run, plan, alerts, limit),
    }
}
