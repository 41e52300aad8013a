//! Real ids and the real clock: the only place that asks the system for either.

use northgate_domain::{Clock, Epoch, IdSource, Timestamp};
use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// The last moment of the year 9999.
const LAST_MICROS: i64 = 253_402_300_799_999_999;

/// Random ids (UUID v4).
pub(crate) struct SystemIds;

impl IdSource for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is where ids come from")]
    fn next_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}

/// The system's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    /// A clock that is far off is no reason to fail while it is so: the nearest moment is taken that
    /// has a date.
    #[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
    fn now(&self) -> Timestamp {
        let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(_before) => 0,
        };
        Timestamp::from_unix_micros(micros.min(LAST_MICROS))
    }

    #[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
    fn steady(&self) -> Timestamp {
        static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
        let passed = BEGINNING.elapsed().as_micros();
        Timestamp::from_unix_micros(i64::try_from(passed).unwrap_or(i64::MAX))
    }
}

/// The system's clock says what no date can be written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's clock stands before 1970 or after 9999; set it, and start again")]
pub struct ClockError;

/// Refuses a clock whose time cannot be written as a date: the HTTP library fails by it.
#[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
pub(crate) fn check_clock() -> Result<(), ClockError> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_before| ClockError)?;
    let micros = i64::try_from(since.as_micros()).map_err(|_| ClockError)?;
    if micros <= LAST_MICROS { Ok(()) } else { Err(ClockError) }
}

/// A name for a new log.
#[expect(clippy::disallowed_methods, reason = "this is where randomness comes from")]
pub(crate) fn draw_epoch() -> Epoch {
    let (_, low) = Uuid::new_v4().as_u64_pair();
    // The low half of a UUID has two fixed bits; 62 random ones are plenty for a name.
    Epoch::new(low)
}
