//! The idempotency keys that were used, with the first answer of each.

use crate::{FirstUse, IdempotencyKey};
use northgate_domain::Timestamp;
use std::collections::{HashMap, VecDeque};

/// What makes a key: its scope and its value.
pub(super) type Name = (String, String);

fn is_remembered(first_use: &FirstUse, now: Timestamp) -> bool {
    first_use.used_at > IdempotencyKey::forgotten_since(now)
}

/// The first uses of keys, the oldest of which make room for new ones.
pub(super) struct IdempotencyCache {
    capacity: usize,
    first_uses: HashMap<Name, FirstUse>,
    oldest_first: VecDeque<Name>,
}

impl IdempotencyCache {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, first_uses: HashMap::new(), oldest_first: VecDeque::new() }
    }

    /// The first use of a key, unless it is too long ago at the moment `now`.
    pub(super) fn get(&self, name: &Name, now: Timestamp) -> Option<&FirstUse> {
        self.first_uses.get(name).filter(|first| is_remembered(first, now))
    }

    /// Remembers a key that is not remembered, and forgets what is too old or too much.
    pub(super) fn remember(&mut self, name: Name, first_use: FirstUse) {
        let now = first_use.used_at;
        if self.first_uses.insert(name.clone(), first_use).is_some() {
            // It is used anew after its time; usually it was forgotten long before.
            self.oldest_first.retain(|held| *held != name);
        }
        self.oldest_first.push_back(name);
        while let Some(oldest) = self.oldest_first.front() {
            let young = self.first_uses.get(oldest).is_some_and(|first| is_remembered(first, now));
            if young && self.oldest_first.len() <= self.capacity {
                break;
            }
            self.first_uses.remove(oldest);
            self.oldest_first.pop_front();
        }
    }
}
