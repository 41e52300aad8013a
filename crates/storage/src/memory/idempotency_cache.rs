//! The idempotency keys that were used, each with its first outcome.

use crate::{FirstUse, IdempotencyKey};
use northgate_domain::Timestamp;
use std::collections::{HashMap, VecDeque};

/// Identity of a key: its scope and its value.
pub(super) type Name = (String, String);

fn is_remembered(first_use: &FirstUse, now: Timestamp) -> bool {
    first_use.used_at > IdempotencyKey::forgotten_since(now)
}

/// First uses of keys. Beyond `capacity`, the oldest are removed.
pub(super) struct IdempotencyCache {
    capacity: usize,
    first_uses: HashMap<Name, FirstUse>,
    oldest_first: VecDeque<Name>,
}

impl IdempotencyCache {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, first_uses: HashMap::new(), oldest_first: VecDeque::new() }
    }

    /// Returns the first use of a key, unless its lifetime has ended at the time `now`.
    pub(super) fn get(&self, name: &Name, now: Timestamp) -> Option<&FirstUse> {
        self.first_uses.get(name).filter(|first| is_remembered(first, now))
    }

    /// Remembers the first use of a key. Removes keys whose lifetime has ended, and the oldest keys
    /// beyond the capacity.
    pub(super) fn remember(&mut self, name: Name, first_use: FirstUse) {
        let now = first_use.used_at;
        if self.first_uses.insert(name.clone(), first_use).is_some() {
            // The key is used again after its lifetime. Usually its first entry was removed long
            // before.
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
