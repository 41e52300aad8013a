//! The position of an event in the log: an epoch that identifies the log, and an offset in it.

/// Identifier of one log, drawn at random when a store is created. A copy of a store that becomes
/// a separate store gets a new one. A position of another epoch has no meaning in this log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// Creates an epoch from a number that the caller drew at random.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// Returns the number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// A position in the log: directly after the event with this offset. The first event has offset 1;
/// offset 0 is the position before it.
///
/// Offsets increase by one from event to event. This is a law for stores (see the port
/// `EventStore`) and not a promise to clients, which receive a position as an opaque string.
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
