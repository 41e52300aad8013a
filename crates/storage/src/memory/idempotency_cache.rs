//! The idempotency keys that were seen, with the first answer of each; the oldest go first.

use crate::{Fingerprint, IdempotencyKey, RecordedOutcome, Rejection};
use northgate_domain::Timestamp;
use std::collections::{HashMap, VecDeque};

/// What makes a key: its scope and its value.
pub(super) type Name = (String, String);

/// The first use of a key.
#[derive(Clone)]
pub(super) struct FirstUse {
    pub(super) at: Timestamp,
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) answer: RecordedOutcome,
}

impl FirstUse {
    fn is_remembered(&self, now: Timestamp) -> bool {
        self.at > IdempotencyKey::forgotten_since(now)
    }

    /// The first answer, if `key` is used for the same command again.
    pub(super) fn replay(&self, key: &IdempotencyKey) -> Result<RecordedOutcome, Rejection> {
        match (self.fingerprint, key.fingerprint) {
            (Some(first), Some(now)) if first != now => Err(Rejection::KeyReused),
            _ => Ok(self.answer.clone()),
        }
    }
}

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
        self.first_uses.get(name).filter(|first| first.is_remembered(now))
    }

    /// Remembers a key that is not remembered, and forgets what is too old or too much.
    pub(super) fn remember(&mut self, name: Name, first_use: FirstUse) {
        let now = first_use.at;
        if self.first_uses.insert(name.clone(), first_use).is_some() {
            // It is used anew after its time; usually it was forgotten long before.
            self.oldest_first.retain(|held| *held != name);
        }
        self.oldest_first.push_back(name);
        while let Some(oldest) = self.oldest_first.front() {
            let young = self.first_uses.get(oldest).is_some_and(|first| first.is_remembered(now));
            if young && self.oldest_first.len() <= self.capacity {
                break;
            }
            self.first_uses.remove(oldest);
            self.oldest_first.pop_front();
        }
    }
}
