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
    use crate::laws::ManualClock;
    use std::sync::Arc;

    const SECOND: i64 = 1_000_000;
    const HOUR: i64 = 3_600 * SECOND;
    const DAY: i64 = 24 * HOUR;

    /// A clock of a day in 1975; the steady one begins in 1970.
    fn clock() -> Arc<ManualClock> {
        let clock = ManualClock::at(7);
        clock.jump_by(2_000 * DAY);
        clock
    }

    /// A clock that was believed once.
    fn believed() -> (Arc<ManualClock>, RetentionClock) {
        let clock = clock();
        let mut retention = RetentionClock::new(&*clock);
        clock.advance(HOUR);
        assert_eq!(retention.now(&*clock), clock.now());
        (clock, retention)
    }

    #[test]
    fn nothing_is_forgotten_in_the_first_hour() {
        let clock = clock();
        let mut retention = RetentionClock::new(&*clock);
        for jump in [0, 1_000 * DAY, -1_000 * DAY] {
            clock.jump_by(jump);
            clock.advance(HOUR - 1);
            assert_eq!(retention.now(&*clock).unix_micros(), i64::MIN, "{jump}");
        }
        clock.advance(HOUR);
        assert_eq!(retention.now(&*clock), clock.now());
    }

    #[test]
    fn a_correction_of_less_than_a_day_is_accepted_immediately() {
        let (clock, mut retention) = believed();
        for correction in [0, SECOND, -HOUR, 23 * HOUR] {
            clock.advance(3 * DAY);
            clock.jump_by(correction);
            assert_eq!(retention.now(&*clock), clock.now(), "{correction}");
        }
    }

    #[test]
    fn a_jump_is_accepted_after_the_clock_was_stable_for_an_hour() {
        for jump in [2 * DAY, 1_000 * DAY, -2 * DAY] {
            let (clock, mut retention) = believed();
            clock.jump_by(jump);
            for _ in 0..59 {
                let expected = clock.now().unix_micros() - jump;
                assert_eq!(retention.now(&*clock).unix_micros(), expected, "{jump}");
                clock.advance(60 * SECOND);
            }
            clock.advance(60 * SECOND);
            assert_eq!(retention.now(&*clock), clock.now(), "{jump}");
        }
    }

    #[test]
    fn undone_jumps_have_no_effect_and_small_ones_do_not_add_up() {
        let (clock, mut retention) = believed();
        for _ in 0..5 {
            clock.jump_by(1_000 * DAY);
            retention.now(&*clock);
            clock.advance(HOUR / 2);
            assert!(retention.now(&*clock).unix_micros() < 2_001 * DAY);
            clock.jump_by(-1_000 * DAY);
            clock.advance(SECOND);
            assert_eq!(retention.now(&*clock), clock.now());
        }
        for _ in 0..50 {
            clock.jump_by(20 * HOUR);
            clock.advance(SECOND);
            assert!(retention.now(&*clock).unix_micros() < 2_002 * DAY);
        }
    }
}
