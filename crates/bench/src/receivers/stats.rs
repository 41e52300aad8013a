//! The counters of receivers during one phase, and how sockets ended.

use std::collections::BTreeMap;
use std::fmt;

use hdrhistogram::CreationError;
use thiserror::Error;

use crate::clock::Nanos;
use crate::event_stream::ChunkError;
use crate::frames::FrameError;
use crate::latency::Latency;
use crate::marker::{Finder, Run};
use crate::order::{DeliveryErrors, OrderCheck};

/// Violation of the protocol by the server.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum ProtocolError {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Chunk(#[from] ChunkError),
    #[error("a frame exceeds the read buffer")]
    TooLong,
}

/// End of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// A Close frame with this code, then the end of the stream.
    Closed(u16),
    /// The end of the stream with no Close frame before it.
    Cut,
    Reset,
    /// The server violated the protocol.
    Broken,
}

impl fmt::Display for Ending {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(code) => write!(out, "closed {code}"),
            Self::Cut => out.write_str("ended without Close"),
            Self::Reset => out.write_str("reset"),
            Self::Broken => out.write_str("ended by a protocol error"),
        }
    }
}

/// The deliveries of one phase, at one thread or merged over all threads.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryStats {
    pub(crate) errors: DeliveryErrors,
    pub(crate) latency: Latency,
    pub(crate) delivered: u64,
    /// Bytes of the counted frames, headers included.
    pub(crate) wire_bytes: u64,
    /// Text frames that contain no alert of the run.
    pub(crate) foreign: u64,
    pub(crate) last_at: Nanos,
}

impl DeliveryStats {
    pub(crate) fn new() -> Result<Self, CreationError> {
        Ok(Self {
            errors: DeliveryErrors::default(),
            latency: Latency::new()?,
            delivered: 0,
            wire_bytes: 0,
            foreign: 0,
            last_at: 0,
        })
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.errors.merge(&other.errors);
        self.latency.merge(&other.latency);
        self.delivered += other.delivered;
        self.wire_bytes += other.wire_bytes;
        self.foreign += other.foreign;
        self.last_at = self.last_at.max(other.last_at);
    }
}

/// Counts the deliveries of one phase in one thread. Only alerts of its run are counted.
#[derive(Debug)]
pub(crate) struct DeliveryRecorder {
    finder: Finder,
    order: OrderCheck,
    stats: DeliveryStats,
}

impl DeliveryRecorder {
    pub(crate) fn new(run: &Run, sockets: usize, publishers: usize) -> Result<Self, CreationError> {
        let order = OrderCheck::new(sockets, publishers);
        Ok(Self { finder: Finder::new(run), order, stats: DeliveryStats::new()? })
    }

    pub(crate) fn delivered(&self) -> u64 {
        self.stats.delivered
    }

    /// Returns a recorder for the bytes that `socket` received at the time `at`.
    pub(super) fn at(&mut self, socket: usize, at: Nanos) -> SocketRecorder<'_> {
        SocketRecorder { recorder: self, socket, at }
    }

    /// Returns the deliveries, checked against the number of answered alerts of each publisher.
    pub(crate) fn conclude(&self, answered: &[u32]) -> DeliveryStats {
        DeliveryStats { errors: self.order.conclude(answered), ..self.stats.clone() }
    }
}

/// Counts the deliveries in one read of one socket.
pub(super) struct SocketRecorder<'a> {
    recorder: &'a mut DeliveryRecorder,
    socket: usize,
    at: Nanos,
}

impl SocketRecorder<'_> {
    /// Counts an event that has `wire_bytes` bytes on the wire.
    pub(super) fn record(&mut self, payload: &[u8], wire_bytes: usize) {
        let DeliveryRecorder { finder, order, stats } = &mut *self.recorder;
        let known = finder
            .find(payload)
            .filter(|marker| order.observe(self.socket, marker.publisher, marker.seq));
        let Some(marker) = known else {
            stats.foreign += 1;
            return;
        };
        stats.latency.record(self.at.saturating_sub(marker.due));
        stats.delivered += 1;
        stats.wire_bytes += wire_bytes as u64;
        stats.last_at = self.at;
    }
}

/// Ends of the sockets, counted from the opening of the sockets over all phases.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endings {
    pub(crate) counts: BTreeMap<Ending, u64>,
    pub(crate) last_at: Nanos,
    /// First violation of the protocol, for the report.
    pub(crate) first_error: Option<ProtocolError>,
}

impl Endings {
    pub(crate) fn count(&mut self, ending: Ending, at: Nanos) {
        *self.counts.entry(ending).or_default() += 1;
        self.last_at = at;
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (ending, count) in other.counts {
            *self.counts.entry(ending).or_default() += count;
        }
        self.last_at = self.last_at.max(other.last_at);
        self.first_error = self.first_error.take().or(other.first_error);
    }

    /// Returns the counts by name, for the report. The name of a protocol error contains the first
    /// error.
    pub(crate) fn by_name(&self) -> BTreeMap<String, u64> {
        let name = |ending: &Ending| match (ending, self.first_error) {
            (Ending::Broken, Some(error)) => format!("{ending} ({error})"),
            _ => ending.to_string(),
        };
        self.counts.iter().map(|(ending, count)| (name(ending), *count)).collect()
    }

    pub(crate) fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}
