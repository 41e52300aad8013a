//! A subscription to the stream of events: its start, its filter, and its progress notices.

use crate::{EventFilter, Position};
use std::time::Duration;

/// Start of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartFrom {
    /// At the head: only new events.
    #[default]
    Now,
    /// With every event after a position.
    After(Position),
    /// With a gap: the client wants to resume, but sent a text that is not a position.
    Gap,
    /// With the newest n events that match, followed by new events.
    Last(usize),
}

/// A client's request for a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subscription {
    /// Start of the stream.
    pub start: StartFrom,
    /// Conditions on the events that the stream contains.
    pub filter: EventFilter,
    /// Interval of [`Notice::Live`] that the client requested. If `None`, the transport decides.
    pub live_every: Option<Duration>,
}

impl Subscription {
    /// Returns whether the client requested a start, a filter or an interval of notices. If so, the
    /// stream contains notices. Otherwise the stream contains only events.
    pub fn is_announced(&self) -> bool {
        self.start != StartFrom::Now || !self.filter.is_open() || self.live_every.is_some()
    }

    /// Returns the subscription of a client that reconnects. The stream starts after `cut_after`,
    /// the last position that the client received. The old start is ignored, because a reconnect
    /// repeats the first request. If `cut_after` is `None`, the stream starts with a gap. An error
    /// would be wrong, because a browser does not reconnect after an error.
    #[must_use]
    pub fn resumed(self, cut_after: Option<Position>) -> Self {
        Self { start: cut_after.map_or(StartFrom::Gap, StartFrom::After), ..self }
    }
}

/// Progress of a stream. A notice is not an event and is not part of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Every matching event after this position follows.
    Resumed(Position),
    /// The stream cannot start at the requested position. No earlier events are sent.
    Gap {
        /// Head of the log. The stream continues with the events after this position.
        position: Position,
        /// Oldest position from which the stream can resume.
        oldest: Position,
    },
    /// Every matching event at or before this position has been sent.
    Live(Position),
}

impl Notice {
    /// Returns the position from which a client resumes if the connection ends after this notice.
    pub const fn position(&self) -> Position {
        match *self {
            Self::Resumed(position) | Self::Gap { position, .. } | Self::Live(position) => position,
        }
    }
}
