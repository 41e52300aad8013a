//! What outlives the window of events: the alerts as they stand, and the newest messages.

use super::shelf::{Shelf, View};
use northgate_domain::{Alert, AlertEvent, AlertId, ChatMessage, Event, Stamped, evolve};
use std::collections::HashMap;

/// The alerts that are held, each by its id and in the order of raising.
pub(super) struct Alerts {
    capacity: usize,
    by_raising: Shelf<Alert>,
    raised_at: HashMap<AlertId, u64>,
    pub(super) evicted: u64,
}

impl Alerts {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, by_raising: Shelf::new(), raised_at: HashMap::new(), evicted: 0 }
    }

    pub(super) fn get(&self, id: AlertId) -> Option<&Stamped<Alert>> {
        self.by_raising.get(*self.raised_at.get(&id)?)
    }

    pub(super) fn view(&self) -> View<Alert> {
        self.by_raising.view()
    }

    /// Lets one event of an alert happen. An alert that is not held begins here.
    pub(super) fn apply(&mut self, event: &Stamped<Event>) {
        let Event::Alert(AlertEvent { alert, .. }) = &event.value else {
            return;
        };
        let held = self.get(alert.id).cloned();
        let position = held.as_ref().map_or(event.position, |held| held.position);
        let Some(value) = evolve(held.map(|held| held.value), &event.value) else {
            return;
        };
        self.raised_at.insert(value.id, position.offset);
        self.by_raising.put(Stamped { position, value });
        if self.by_raising.len() > self.capacity
            && let Some(oldest) = self.by_raising.pop_first()
        {
            self.raised_at.remove(&oldest.stamped.value.id);
            self.evicted += 1;
        }
    }
}

/// The newest chat messages.
pub(super) struct Messages {
    capacity: usize,
    held: Shelf<ChatMessage>,
}

impl Messages {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, held: Shelf::new() }
    }

    pub(super) fn view(&self) -> View<ChatMessage> {
        self.held.view()
    }

    pub(super) fn apply(&mut self, event: &Stamped<Event>) {
        let Event::Chat(message) = &event.value else {
            return;
        };
        self.held.put(Stamped { position: event.position, value: message.clone() });
        if self.held.len() > self.capacity {
            self.held.pop_first();
        }
    }
}
