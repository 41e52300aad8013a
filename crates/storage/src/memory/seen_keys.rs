//! The idempotency keys that were seen, with the first answer of each; the oldest go first.

use crate::{Answer, Fingerprint, IdempotencyKey, Rejection};
use std::collections::{HashMap, VecDeque};

/// What makes a key: its scope and its value.
pub(super) type Name = (String, String);

/// The first use of a key.
#[derive(Clone)]
pub(super) struct FirstUse {
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) answer: Answer,
}

impl FirstUse {
    /// The first answer, if `key` is used for the same command again.
    pub(super) fn replay(&self, key: &IdempotencyKey) -> Result<Answer, Rejection> {
        match (self.fingerprint, key.fingerprint) {
            (Some(first), Some(now)) if first != now => Err(Rejection::KeyReused),
            _ => Ok(self.answer.clone()),
        }
    }
}

pub(super) struct SeenKeys {
    capacity: usize,
    first_uses: HashMap<Name, FirstUse>,
    oldest_first: VecDeque<Name>,
}

impl SeenKeys {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, first_uses: HashMap::new(), oldest_first: VecDeque::new() }
    }

    pub(super) fn get(&self, name: &Name) -> Option<&FirstUse> {
        self.first_uses.get(name)
    }

    pub(super) fn remember(&mut self, name: Name, first_use: FirstUse) {
        if self.oldest_first.len() == self.capacity
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.first_uses.remove(&oldest);
        }
        self.oldest_first.push_back(name.clone());
        self.first_uses.insert(name, first_use);
    }
}
