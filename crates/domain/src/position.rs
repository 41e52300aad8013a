//! Where an event stands in the log: an epoch that names the log, and an offset within it.

/// The name of one log, drawn at random when a store is created, and drawn anew when a copy of a
/// store begins a life of its own. A position of another epoch says nothing about this log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// Names an epoch by a number that its creator drew at random.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The number that was drawn.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// A place in the log: the one after the event with this offset. Offset 0 is the place before the
/// first event, which has offset 1.
///
/// Offsets rise by one from event to event: a law for stores (see the port `EventStore`), and
/// never a promise to clients, who see one opaque string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// The log that the offset belongs to.
    pub epoch: Epoch,
    /// How many events lie at or before this place, trimmed ones included.
    pub offset: u64,
}

impl Position {
    /// The place before the first event of a log.
    pub const fn start(epoch: Epoch) -> Self {
        Self { epoch, offset: 0 }
    }

    /// The place `count` events further on.
    #[must_use]
    pub const fn advanced_by(self, count: u64) -> Self {
        Self { epoch: self.epoch, offset: self.offset + count }
    }
}
