//! The window: a ring of the newest frames, limited by number and by bytes. The shared log has one
//! window, and each worker has a copy.

use crate::frame::Entry;
use northgate_domain::Position;
use std::collections::VecDeque;

/// Limits of the window of retained events. Both limits apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowLimits {
    /// Maximum number of frames.
    pub frames: usize,
    /// Maximum size of all frames together, in bytes.
    pub bytes: usize,
}

impl Default for WindowLimits {
    fn default() -> Self {
        Self { frames: 4_096, bytes: 8 * 1024 * 1024 }
    }
}

/// Result of the search for the event after a position.
pub(crate) enum Next<'a> {
    /// The next event.
    Entry(&'a Entry),
    /// No event yet: the position is at or beyond the head.
    AtHead,
    /// The window no longer retains the next event, or the position belongs to another log.
    Lost,
}

#[derive(Debug, Clone)]
pub(crate) struct Window {
    limits: WindowLimits,
    /// Frames at consecutive positions, the last one at `head`.
    entries: VecDeque<Entry>,
    bytes: usize,
    head: Position,
}

impl Window {
    /// Creates an empty window after `head`.
    pub(crate) fn new(limits: WindowLimits, head: Position) -> Self {
        Self { limits, entries: VecDeque::new(), bytes: 0, head }
    }

    pub(crate) fn head(&self) -> Position {
        self.head
    }

    /// Appends the next event, and drops the oldest events while a limit is exceeded. The newest
    /// event is always retained. An event that does not directly follow the head restarts the
    /// window.
    pub(crate) fn push(&mut self, entry: Entry) {
        let position = entry.frame.position();
        if position != self.head.advanced_by(1) {
            self.entries.clear();
            self.bytes = 0;
        }
        self.head = position;
        self.bytes += entry.frame.held_bytes();
        self.entries.push_back(entry);
        while self.entries.len() > self.limits.frames.max(1)
            || (self.bytes > self.limits.bytes && self.entries.len() > 1)
        {
            let Some(oldest) = self.entries.pop_front() else {
                break;
            };
            self.bytes -= oldest.frame.held_bytes();
        }
    }

    /// Returns an empty window with the same limits after `head`.
    pub(crate) fn restarted(&self, head: Position) -> Self {
        Self::new(self.limits, head)
    }

    /// Searches for the event after `after`. A position of another log always results in
    /// [`Next::Lost`].
    pub(crate) fn next(&self, after: Position) -> Next<'_> {
        if after.epoch != self.head.epoch {
            return Next::Lost;
        }
        if after.offset >= self.head.offset {
            return Next::AtHead;
        }
        self.index_after(after.offset)
            .and_then(|at| self.entries.get(at))
            .map_or(Next::Lost, Next::Entry)
    }

    /// Returns the events after `offset`, or `None` if some of these events are no longer retained.
    pub(crate) fn since(&self, offset: u64) -> Option<impl Iterator<Item = &Entry>> {
        let at =
            if offset >= self.head.offset { self.entries.len() } else { self.index_after(offset)? };
        Some(self.entries.range(at..))
    }

    /// Returns the index in `entries` of the event after `offset`. `offset` must be below the head.
    fn index_after(&self, offset: u64) -> Option<usize> {
        let oldest_readable = self.head.offset - self.entries.len() as u64;
        usize::try_from(offset.checked_sub(oldest_readable)?).ok()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::frame::Encoder;
    use northgate_domain::{
        ChatMessage, Epoch, Event, MessageId, MessageText, Positioned, Sender, Timestamp,
    };
    use proptest::prelude::*;
    use std::io::Write;
    use uuid::Uuid;

    pub(crate) const ENCODER: Encoder = Encoder {
        event: |event, text| {
            let Event::Chat(chat) = &event.value else { panic!("these tests encode only chat") };
            write!(text, "{{\"message\":{:?}}}", chat.message.as_str()).unwrap();
        },
        position: |at, text| write!(text, "{}-{}", at.epoch.get(), at.offset).unwrap(),
    };

    pub(crate) fn position(offset: u64) -> Position {
        Position { epoch: Epoch::new(7), offset }
    }

    pub(crate) fn chat(offset: u64, message: &str) -> Positioned<Event> {
        Positioned {
            position: position(offset),
            value: Event::Chat(ChatMessage {
                id: MessageId(Uuid::from_u128(offset.into())),
                sender: Sender::parse("Operator 1").unwrap(),
                message: MessageText::parse(message).unwrap(),
                sent_at: Timestamp::from_unix_micros(0),
                alert_id: None,
            }),
        }
    }

    fn entry(offset: u64) -> Entry {
        Entry::encode(&chat(offset, "x"), ENCODER)
    }

    fn window(frames: usize, bytes: usize) -> Window {
        Window::new(WindowLimits { frames, bytes }, position(0))
    }

    #[test]
    fn a_window_is_bounded_by_bytes_too() {
        let size = entry(1).frame.held_bytes();
        let mut window = window(100, size * 3);
        for offset in 1..=9 {
            window.push(entry(offset));
        }
        assert_eq!(window.entries.len(), 3);
        assert_eq!(window.bytes, size * 3);
    }

    #[test]
    fn the_newest_frame_is_retained_with_any_limits() {
        let mut window = window(0, 0);
        window.push(entry(1));
        assert!(matches!(window.next(position(0)), Next::Entry(_)));
    }

    #[test]
    fn a_frame_that_does_not_follow_the_head_restarts_the_window() {
        let mut window = window(10, 100_000);
        window.push(entry(1));
        window.push(entry(9));
        assert!(matches!(window.next(position(0)), Next::Lost));
        assert!(matches!(window.next(position(7)), Next::Lost));
        assert!(
            matches!(window.next(position(8)), Next::Entry(e) if e.frame.position() == position(9))
        );
        assert!(window.since(3).is_none());
    }

    proptest! {
        /// With any limit, `next` returns the next event, or reports correctly that there is none
        /// yet or that the window no longer retains it.
        #[test]
        fn next_returns_the_next_event_or_the_correct_reason(
            frames in 1_usize..20,
            pushed in 0_u64..60,
            ask in 0_u64..70,
        ) {
            let mut window = window(frames, usize::MAX);
            for offset in 1..=pushed {
                window.push(entry(offset));
            }
            let retained = pushed.min(frames as u64);
            match window.next(position(ask)) {
                Next::Entry(entry) => prop_assert_eq!(entry.frame.position(), position(ask + 1)),
                Next::AtHead => prop_assert!(ask >= pushed),
                Next::Lost => prop_assert!(ask < pushed - retained),
            }
            match window.since(ask) {
                Some(since) => {
                    let offsets: Vec<_> = since.map(|e| e.frame.position().offset).collect();
                    prop_assert_eq!(offsets, (ask + 1..=pushed).collect::<Vec<_>>());
                }
                None => prop_assert!(ask < pushed - retained),
            }
        }
    }
}
