//! The window of retained events: a ring that trims its oldest events and reports gaps.

use crate::{READ_BYTES, ReadError, ReadFrom};
use northgate_domain::{AlertEvent, AlertId, Epoch, Event, Position, Positioned};
use std::collections::{HashMap, VecDeque};

/// Returns the first events, up to [`READ_BYTES`] in total, or the first event alone if it is
/// larger.
fn within_bytes<'a>(events: impl Iterator<Item = &'a Positioned<Event>>) -> Vec<Positioned<Event>> {
    let mut bytes = 0;
    let fitting = events.enumerate().take_while(|(count, event)| {
        bytes += event.value.approximate_bytes();
        *count == 0 || bytes <= READ_BYTES
    });
    fitting.map(|(_, event)| event.clone()).collect()
}

pub(super) struct Log {
    epoch: Epoch,
    capacity: usize,
    /// Retained events with contiguous offsets; the last one is at `head`.
    events: VecDeque<Positioned<Event>>,
    /// Offsets of the retained events of each alert, in rising order.
    by_alert: HashMap<AlertId, VecDeque<u64>>,
    /// Offset of the newest event ever appended; 0 in an empty log.
    head: u64,
}

/// Returns the alert that an event belongs to.
fn alert_of(event: &Event) -> Option<AlertId> {
    match event {
        Event::Alert(AlertEvent { alert, .. }) => Some(alert.id),
        Event::Chat(_) => None,
    }
}

impl Log {
    pub(super) fn new(epoch: Epoch, capacity: usize) -> Self {
        Self { epoch, capacity, events: VecDeque::new(), by_alert: HashMap::new(), head: 0 }
    }

    pub(super) fn head(&self) -> Position {
        self.at(self.head)
    }

    pub(super) fn push(&mut self, event: Positioned<Event>) {
        debug_assert_eq!(event.position, self.head().advanced_by(1));
        self.head = event.position.offset;
        if self.events.len() == self.capacity {
            self.trim_oldest();
        }
        if let Some(alert) = alert_of(&event.value) {
            self.by_alert.entry(alert).or_default().push_back(self.head);
        }
        self.events.push_back(event);
    }

    fn trim_oldest(&mut self) {
        let alert = self.events.pop_front().and_then(|event| alert_of(&event.value));
        if let Some(alert) = alert
            && let Some(offsets) = self.by_alert.get_mut(&alert)
        {
            offsets.pop_front();
            if offsets.is_empty() {
                self.by_alert.remove(&alert);
            }
        }
    }

    /// Returns the retained events of one alert up to `offset` and the first one after it, in rising
    /// order. The newer ones are not examined.
    pub(super) fn events_of(
        &self,
        alert: AlertId,
        offset: u64,
    ) -> impl DoubleEndedIterator<Item = &Positioned<Event>> {
        let trimmed = self.head - self.events.len() as u64;
        let offsets = self.by_alert.get(&alert).into_iter().flat_map(move |offsets| {
            let older = offsets.partition_point(|other| *other <= offset);
            offsets.range(..offsets.len().min(older + 1))
        });
        offsets.filter_map(move |offset| {
            self.events.get(usize::try_from(offset.checked_sub(trimmed + 1)?).ok()?)
        })
    }

    pub(super) fn read(
        &self,
        from: ReadFrom,
        limit: usize,
    ) -> Result<Vec<Positioned<Event>>, ReadError> {
        // Offset of the newest trimmed event. This is also the smallest offset after which all
        // events can still be read.
        let trimmed = self.head - self.events.len() as u64;
        let (ReadFrom::After(position) | ReadFrom::Before(position)) = from;
        let foreign = position.epoch != self.epoch || position.offset > self.head;
        let lost = matches!(from, ReadFrom::After(_)) && position.offset < trimmed;
        if foreign || lost {
            return Err(ReadError::Gap { oldest: self.at(trimmed), latest: self.head() });
        }
        let split = usize::try_from(position.offset.saturating_sub(trimmed)).unwrap_or(usize::MAX);
        Ok(match from {
            ReadFrom::After(_) => within_bytes(self.events.range(split..).take(limit)),
            ReadFrom::Before(_) => {
                let mut events = within_bytes(self.events.range(..split).rev().take(limit));
                events.reverse();
                events
            }
        })
    }

    fn at(&self, offset: u64) -> Position {
        Position { epoch: self.epoch, offset }
    }
}
