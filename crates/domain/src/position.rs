//! The position of an event in a log: an epoch that identifies the log, and an offset in that log.

/// Identifier of one log: a random number, generated when a store is created. If a copy of a store
/// becomes a separate store, the copy gets a new epoch. A position with another epoch has no
/// meaning in this log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// Creates an epoch from a random number.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// Returns the random number of the epoch.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// A position in the log: directly after the event with this offset. The first event has offset 1.
/// Offset 0 is the position before the first event.
///
/// Offsets increase by one from event to event. This is a law for stores (see the port
/// `EventStore`), not a promise to clients. Clients receive positions as opaque strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// Log to which the offset belongs.
    pub epoch: Epoch,
    /// Number of events at or before this position, including trimmed events.
    pub offset: u64,
}

impl Position {
    /// Returns the position before the first event of a log.
    pub const fn start(epoch: Epoch) -> Self {
        Self { epoch, offset: 0 }
    }

    /// Returns the position `count` events later.
    #[must_use]
    pub const fn advanced_by(self, count: u64) -> Self {
        Self { epoch: self.epoch, offset: self.offset + count }
    }
}
