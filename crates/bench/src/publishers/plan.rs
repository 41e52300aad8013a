//! The plan of one phase, and the result of the publishers.

use crate::clock::Nanos;
use crate::error::Result;
use crate::latency::Latency;

/// Pace at which alerts are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// A steady rate in alerts per second for all publishers together. Due times do not depend on
    /// the answers, but each publisher waits for an answer before its next alert.
    Rate { alerts: u32, per_second: f64 },
    /// One alert in flight per publisher, until `alerts` are sent or `limit` has passed.
    Closed { alerts: u32, limit: Nanos },
}

/// The alerts of one phase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) publishers: usize,
    pub(crate) pace: Pace,
    /// Length of the alert's text in bytes.
    pub(crate) message_bytes: usize,
}

/// The results of all publishers.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    /// For each publisher, the number of alerts that were answered with 2xx. The answered alerts of
    /// a publisher are numbered from 0, so the largest number is one less than this count.
    pub(crate) answered: Vec<u32>,
    /// Time to the answer, from the due time (paced) or from sending (closed).
    pub(crate) latency: Latency,
    pub(crate) started: Nanos,
    pub(crate) finished: Nanos,
    /// Reasons why publishers stopped early. Each publisher stops at its first failure.
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

    /// Returns the time from the first alert to the last answer.
    pub(crate) fn span(&self) -> Nanos {
        self.finished.saturating_sub(self.started)
    }
}
