//! A clock that a test moves, and ids that count.

use northgate_domain::{Clock, IdSource, MetaSource, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use uuid::Uuid;

/// A clock that stands where the test has set it, or moves by a microsecond with each id. Ids are
/// 1, 2, 3 and so on.
#[derive(Debug, Default)]
pub struct ManualClock {
    ids: AtomicU64,
    micros: AtomicI64,
    /// How far the clock is ahead of the time that has passed.
    jump: AtomicI64,
    micros_per_id: i64,
}

impl ManualClock {
    /// A clock that stands at a moment, in microseconds since 1970.
    pub fn at(unix_micros: i64) -> Arc<Self> {
        Arc::new(Self { micros: unix_micros.into(), ..Self::default() })
    }

    /// A clock that begins in 1970 and moves by a microsecond with each id: the n-th decision has
    /// the id n and the moment n.
    pub fn counting() -> Arc<Self> {
        Self::counting_from(1, 1)
    }

    /// A clock that moves by `micros_per_id` with each id, of which the first is `first_id`.
    pub fn counting_from(first_id: u64, micros_per_id: i64) -> Arc<Self> {
        let given = first_id.saturating_sub(1);
        let micros = i64::try_from(given).unwrap().saturating_mul(micros_per_id);
        let (ids, micros) = (given.into(), micros.into());
        Arc::new(Self { ids, micros, micros_per_id, ..Self::default() })
    }

    /// Lets time pass, or go back, up to a moment.
    pub fn set(&self, unix_micros: i64) {
        self.micros.store(unix_micros, Relaxed);
    }

    /// Lets time pass.
    pub fn advance(&self, micros: i64) {
        self.micros.fetch_add(micros, Relaxed);
    }

    /// Moves the clock forwards or back, without any time having passed.
    pub fn jump_by(&self, micros: i64) {
        self.jump.fetch_add(micros, Relaxed);
    }

    /// The clock and its ids, as a store takes them.
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
