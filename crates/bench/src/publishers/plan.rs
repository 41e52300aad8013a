//! The plan of one phase, and the result of publishing by it.

use crate::clock::Nanos;
use crate::error::Result;
use crate::latency::Latency;

/// How alerts are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// So many a second in all, whether or not the answers keep up.
    Rate { alerts: u32, per_second: f64 },
    /// One in flight for each publisher, until so many are sent or so much time has passed.
    Closed { alerts: u32, limit: Nanos },
}

/// The alerts of one phase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) publishers: usize,
    pub(crate) pace: Pace,
    /// Bytes of the alert's text.
    pub(crate) message_bytes: usize,
}

/// The results of all publishers.
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
    pub(super) fn new(publishers: usize) -> Result<Self> {
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
