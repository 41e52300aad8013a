//! The clock with which a store decides which data is old enough to be deleted.
//!
//! Deleted data cannot be restored, so a store must not delete data because of one wrong reading of
//! the clock. A clock that jumped by more than a day is accepted only after it was stable for an
//! hour.

use northgate_domain::{Clock, Timestamp};

/// Largest deviation from the accepted clock that is accepted immediately.
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;
/// Time for which a clock with a larger deviation must be stable before it is accepted.
const HOUR_MICROS: i64 = 60 * 60 * 1_000_000;
/// Largest correction of a clock that still counts as stable.
const CORRECTION_MICROS: i64 = 60 * 1_000_000;

/// Compares the wall clock, which can be set, with the steady clock, which cannot be set. Owned by
/// the component that decides submissions in a store.
#[derive(Debug, Clone)]
pub struct RetentionClock {
    /// Microseconds by which the accepted wall clock is ahead of the steady clock. `None` until the
    /// wall clock was stable for an hour: the time since the server last ran is unknown, so the
    /// first reading of the wall clock cannot be checked.
    believed: Option<i64>,
    /// Start of the current stable period of the wall clock: the microseconds by which it was ahead
    /// of the steady clock, and the steady time.
    lately: (i64, i64),
}

impl RetentionClock {
    /// Creates a retention clock that accepts no time yet.
    pub fn new(clock: &dyn Clock) -> Self {
        let steady = clock.steady().unix_micros();
        Self { believed: None, lately: (lead(clock), steady) }
    }

    /// Returns the time against which ages are measured. Until the wall clock was stable for an
    /// hour, this is the earliest possible time, so that nothing is deleted.
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

/// Returns by how many microseconds the wall clock is ahead of the steady clock.
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

    /// A clock whose wall time is in 1975 and whose steady time is in 1970.
    fn clock() -> Arc<ManualClock> {
        let clock = ManualClock::at(7);
        clock.jump_by(2_000 * DAY);
        clock
    }

    /// A clock, and a retention clock that has accepted it.
    fn believed() -> (Arc<ManualClock>, RetentionClock) {
        let clock = clock();
        let mut retention = RetentionClock::new(&*clock);
        clock.advance(HOUR);
        assert_eq!(retention.now(&*clock), clock.now());
        (clock, retention)
    }

    #[test]
    fn nothing_is_forgotten_before_the_clock_is_stable_for_an_hour() {
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
