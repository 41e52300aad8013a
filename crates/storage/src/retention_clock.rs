//! The time by which a store forgets.
//!
//! What is forgotten does not come back, so one wrong reading of a clock must not decide it: a clock
//! that has jumped by more than a day is not believed before it has stood for an hour.

use northgate_domain::{Clock, Timestamp};

/// What a clock may differ from what was believed last.
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;
/// How long a clock that differs by more must have stood.
const HOUR_MICROS: i64 = 60 * 60 * 1_000_000;
/// What a clock may be corrected by while it stands.
const CORRECTION_MICROS: i64 = 60 * 1_000_000;

/// Compares a clock that can be set with one that cannot. Owned by the one who decides in a store.
#[derive(Debug, Clone)]
pub struct RetentionClock {
    /// How far the clock was ahead of the steady one when it was believed last, in microseconds.
    /// Nothing is believed at first: how long a log was without a server, nobody knows.
    believed: Option<i64>,
    /// How far it has been ahead lately, and since which moment of the steady one.
    lately: (i64, i64),
}

impl RetentionClock {
    /// A clock that is not believed yet.
    pub fn new(clock: &dyn Clock) -> Self {
        let steady = clock.steady().unix_micros();
        Self { believed: None, lately: (lead(clock), steady) }
    }

    /// The time by which to forget. In the first hour it lies before everything.
    pub fn now(&mut self, clock: &dyn Clock) -> Timestamp {
        let (lead, steady) = (lead(clock), clock.steady().unix_micros());
        if lead.saturating_sub(self.lately.0).saturating_abs() > CORRECTION_MICROS {
            self.lately = (lead, steady);
        } else if steady.saturating_sub(self.lately.1) >= HOUR_MICROS {
            self.believed = Some(lead);
        }
        let Some(believed) = self.believed else { return Timestamp::from_unix_micros(i64::MIN) };
        let is_near = lead.saturating_sub(believed).saturating_abs() <= DAY_MICROS;
        let lead = if is_near { lead } else { believed };
        Timestamp::from_unix_micros(steady.saturating_add(lead))
    }
}

/// How far the clock is ahead of the steady one.
fn lead(clock: &dyn Clock) -> i64 {
    clock.now().unix_micros().saturating_sub(clock.steady().unix_micros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

    const SECOND: i64 = 1_000_000;
    const HOUR: i64 = 3_600 * SECOND;
    const DAY: i64 = 24 * HOUR;

    /// Two clocks that the test moves.
    struct Clocks {
        now: AtomicI64,
        steady: AtomicI64,
    }

    impl Clocks {
        fn at(now: i64) -> Self {
            Self { now: now.into(), steady: 7.into() }
        }

        /// Time passes.
        fn pass(&self, micros: i64) {
            self.now.fetch_add(micros, Relaxed);
            self.steady.fetch_add(micros, Relaxed);
        }

        /// Somebody sets the clock.
        fn jump(&self, micros: i64) {
            self.now.fetch_add(micros, Relaxed);
        }
    }

    impl Clock for Clocks {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix_micros(self.now.load(Relaxed))
        }

        fn steady(&self) -> Timestamp {
            Timestamp::from_unix_micros(self.steady.load(Relaxed))
        }
    }

    /// A clock that was believed once.
    fn believed() -> (Clocks, RetentionClock) {
        let clocks = Clocks::at(2_000 * DAY);
        let mut retention = RetentionClock::new(&clocks);
        clocks.pass(HOUR);
        assert_eq!(retention.now(&clocks), clocks.now());
        (clocks, retention)
    }

    #[test]
    fn nothing_is_forgotten_in_the_first_hour() {
        let clocks = Clocks::at(2_000 * DAY);
        let mut retention = RetentionClock::new(&clocks);
        for jump in [0, 1_000 * DAY, -1_000 * DAY] {
            clocks.jump(jump);
            clocks.pass(HOUR - 1);
            assert_eq!(retention.now(&clocks).unix_micros(), i64::MIN, "{jump}");
        }
        clocks.pass(HOUR);
        assert_eq!(retention.now(&clocks), clocks.now());
    }

    #[test]
    fn a_clock_that_runs_or_is_corrected_a_little_is_believed() {
        let (clocks, mut retention) = believed();
        for correction in [0, SECOND, -HOUR, 23 * HOUR] {
            clocks.pass(3 * DAY);
            clocks.jump(correction);
            assert_eq!(retention.now(&clocks), clocks.now(), "{correction}");
        }
    }

    #[test]
    fn a_jump_is_believed_when_it_has_stood_for_an_hour() {
        for jump in [2 * DAY, 1_000 * DAY, -2 * DAY] {
            let (clocks, mut retention) = believed();
            clocks.jump(jump);
            for _ in 0..59 {
                let expected = clocks.now().unix_micros() - jump;
                assert_eq!(retention.now(&clocks).unix_micros(), expected, "{jump}");
                clocks.pass(60 * SECOND);
            }
            clocks.pass(60 * SECOND);
            assert_eq!(retention.now(&clocks), clocks.now(), "{jump}");
        }
    }

    #[test]
    fn a_jump_that_is_undone_leaves_nothing_and_small_ones_do_not_add_up() {
        let (clocks, mut retention) = believed();
        for _ in 0..5 {
            clocks.jump(1_000 * DAY);
            retention.now(&clocks);
            clocks.pass(HOUR / 2);
            assert!(retention.now(&clocks).unix_micros() < 2_001 * DAY);
            clocks.jump(-1_000 * DAY);
            clocks.pass(SECOND);
            assert_eq!(retention.now(&clocks), clocks.now());
        }
        for _ in 0..50 {
            clocks.jump(20 * HOUR);
            clocks.pass(SECOND);
            assert!(retention.now(&clocks).unix_micros() < 2_002 * DAY);
        }
    }
}
