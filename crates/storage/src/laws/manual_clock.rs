//! A clock that a test moves, and a source of consecutive ids.

use northgate_domain::{Clock, IdSource, MetaSource, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use uuid::Uuid;

/// A clock that shows the time that the test has set, and moves by `micros_per_id` with each id.
/// Ids are consecutive numbers, from 1 unless the test chose another first id.
#[derive(Debug, Default)]
pub struct ManualClock {
    ids: AtomicU64,
    micros: AtomicI64,
    /// Microseconds by which the wall clock is ahead of the steady clock.
    jump: AtomicI64,
    micros_per_id: i64,
}

impl ManualClock {
    /// Creates a clock that shows a fixed time, in microseconds since 1970.
    pub fn at(unix_micros: i64) -> Arc<Self> {
        Arc::new(Self { micros: unix_micros.into(), ..Self::default() })
    }

    /// Creates a clock that begins in 1970 and moves by one microsecond with each id: the n-th
    /// decision has the id n and the time n.
    pub fn counting() -> Arc<Self> {
        Self::counting_from(1, 1)
    }

    /// Creates a clock that moves by `micros_per_id` with each id. The first id is `first_id`.
    pub fn counting_from(first_id: u64, micros_per_id: i64) -> Arc<Self> {
        let given = first_id.saturating_sub(1);
        let micros = i64::try_from(given).unwrap().saturating_mul(micros_per_id);
        let (ids, micros) = (given.into(), micros.into());
        Arc::new(Self { ids, micros, micros_per_id, ..Self::default() })
    }

    /// Sets the steady time, and the wall clock with it, to `unix_micros`.
    pub fn set(&self, unix_micros: i64) {
        self.micros.store(unix_micros, Relaxed);
    }

    /// Advances the steady time and the wall clock by `micros`.
    pub fn advance(&self, micros: i64) {
        self.micros.fetch_add(micros, Relaxed);
    }

    /// Moves the wall clock by `micros`, while the steady time does not change.
    pub fn jump_by(&self, micros: i64) {
        self.jump.fetch_add(micros, Relaxed);
    }

    /// Returns a source of timestamps and ids for a store. Both come from this clock.
    pub fn meta(self: &Arc<Self>) -> MetaSource {
        MetaSource::new(self.clone(), self.clone())
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.micros.load(Relaxed) + self.jump.load(Relaxed))
    }

    fn steady(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.micros.load(Relaxed))
    }
}

impl IdSource for ManualClock {
    fn next_id(&self) -> Uuid {
        self.advance(self.micros_per_id);
        Uuid::from_u128(u128::from(self.ids.fetch_add(1, Relaxed) + 1))
    }
}
