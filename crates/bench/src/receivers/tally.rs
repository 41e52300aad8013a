//! What receivers count during one phase, and how a socket's life can end.

use std::collections::BTreeMap;
use std::fmt;

use hdrhistogram::CreationError;

use super::slot::Breach;
use crate::clock::Nanos;
use crate::latency::Latency;
use crate::marker::{Finder, Run};
use crate::order::{Findings, OrderCheck};

/// How a socket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// A Close frame with this code, then the end of the stream.
    Closed(u16),
    /// The end of the stream with no Close frame before it.
    Cut,
    Reset,
    /// The server broke the protocol.
    Broken,
}

impl fmt::Display for Ending {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(code) => write!(out, "closed {code}"),
            Self::Cut => out.write_str("ended without Close"),
            Self::Reset => out.write_str("reset"),
            Self::Broken => out.write_str("broke the protocol"),
        }
    }
}

/// One receiver's eyes on one phase. Only alerts of its run count.
#[derive(Debug)]
pub(crate) struct Watch {
    finder: Finder,
    order: OrderCheck,
    latency: Latency,
    pub(crate) delivered: u64,
    wire_bytes: u64,
    foreign: u64,
    last_at: Nanos,
}

impl Watch {
    pub(crate) fn new(run: &Run, sockets: usize, publishers: usize) -> Result<Self, CreationError> {
        Ok(Self {
            finder: Finder::new(run),
            order: OrderCheck::new(sockets, publishers),
            latency: Latency::new()?,
            delivered: 0,
            wire_bytes: 0,
            foreign: 0,
            last_at: 0,
        })
    }

    /// Notes an event, of so many bytes on the wire, that `socket` had in its hands at `at`.
    pub(crate) fn observe(&mut self, socket: usize, payload: &[u8], wire_bytes: usize, at: Nanos) {
        let known = self
            .finder
            .find(payload)
            .filter(|marker| self.order.observe(socket, marker.publisher, marker.seq));
        let Some(marker) = known else {
            self.foreign += 1;
            return;
        };
        self.latency.record(at.saturating_sub(marker.due));
        self.delivered += 1;
        self.wire_bytes += wire_bytes as u64;
        self.last_at = at;
    }

    /// Judges against the number of alerts that each publisher had answered.
    pub(crate) fn conclude(&self, answered: &[u32]) -> Tally {
        Tally {
            findings: self.order.conclude(answered),
            latency: self.latency.clone(),
            delivered: self.delivered,
            wire_bytes: self.wire_bytes,
            foreign: self.foreign,
            last_at: self.last_at,
        }
    }
}

/// What receivers saw of a phase; those of several threads merge into one.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) findings: Findings,
    pub(crate) latency: Latency,
    pub(crate) delivered: u64,
    /// Bytes of the counted frames with their headers.
    pub(crate) wire_bytes: u64,
    /// Text frames that belong to no alert of the run.
    pub(crate) foreign: u64,
    pub(crate) last_at: Nanos,
}

impl Tally {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.findings.merge(&other.findings);
        self.latency.merge(&other.latency);
        self.delivered += other.delivered;
        self.wire_bytes += other.wire_bytes;
        self.foreign += other.foreign;
        self.last_at = self.last_at.max(other.last_at);
    }
}

/// The ends of sockets since they were opened, over all phases.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endings {
    pub(crate) counts: BTreeMap<Ending, u64>,
    pub(crate) last_at: Nanos,
    /// The first breach of the protocol, for the report.
    pub(crate) breach: Option<Breach>,
}

impl Endings {
    pub(crate) fn note(&mut self, ending: Ending, at: Nanos) {
        *self.counts.entry(ending).or_default() += 1;
        self.last_at = at;
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (ending, count) in other.counts {
            *self.counts.entry(ending).or_default() += count;
        }
        self.last_at = self.last_at.max(other.last_at);
        self.breach = self.breach.take().or(other.breach);
    }

    /// For the report, with the first breach of the protocol in words.
    pub(crate) fn by_name(&self) -> BTreeMap<String, u64> {
        let name = |ending: &Ending| match (ending, self.breach) {
            (Ending::Broken, Some(breach)) => format!("{ending} ({breach})"),
            _ => ending.to_string(),
        };
        self.counts.iter().map(|(ending, count)| (name(ending), *count)).collect()
    }

    pub(crate) fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}
