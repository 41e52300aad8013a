//! A subscription to the stream of events: where it begins, which events it holds, and what the
//! subscriber is told of its progress.

use crate::{EventFilter, Position};

/// Where a stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartFrom {
    /// With what happens from now on.
    #[default]
    Now,
    /// With everything after a position.
    After(Position),
    /// With a gap: the client was cut after something that is no position of any log.
    Gap,
    /// With the newest so many events that match, and then what happens from now on.
    Last(usize),
}

/// The stream that a client asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subscription {
    /// Where the stream begins.
    pub start: StartFrom,
    /// Which events the stream holds.
    pub filter: EventFilter,
}

impl Subscription {
    /// Whether the client asked for anything, and so receives notices. A client that asks for
    /// nothing receives events alone.
    pub fn is_announced(&self) -> bool {
        self.start != StartFrom::Now || !self.filter.is_open()
    }

    /// The same subscription from where the client was cut, whatever its start: a reconnect repeats
    /// the first request. Without a position the stream begins with a gap and not with an error:
    /// after an error a browser never connects again.
    #[must_use]
    pub fn resumed(self, cut_after: Option<Position>) -> Self {
        Self { start: cut_after.map_or(StartFrom::Gap, StartFrom::After), ..self }
    }
}

/// Progress of a stream. A notice is no event of the log and has no place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Everything after this position follows.
    Resumed(Position),
    /// The stream cannot begin where the client asked. Nothing is replayed.
    Gap {
        /// The head, after which the stream goes on.
        position: Position,
        /// The smallest position from which the stream could have gone on.
        oldest: Position,
    },
    /// Nothing that matches and lies at or before this position is still to come.
    Live(Position),
}

impl Notice {
    /// Where a client that is cut after this notice resumes.
    pub const fn position(&self) -> Position {
        match *self {
            Self::Resumed(position) | Self::Gap { position, .. } | Self::Live(position) => position,
        }
    }
}
