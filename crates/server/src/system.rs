//! The system's sources of random ids and of time, from which all other code gets its ids and
//! times.

use northgate_domain::{Clock, Epoch, IdSource, Timestamp};
use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// The last microsecond of the year 9999, since the Unix epoch.
const LAST_MICROS: i64 = 253_402_300_799_999_999;

/// Source of random ids (UUID v4).
pub(crate) struct SystemIds;

impl IdSource for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is where ids come from")]
    fn next_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}

/// The system clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    /// Returns the current time, limited to the years 1970 to 9999, so that a wrong clock does not
    /// make requests fail.
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

/// The system clock is outside the range that a date can express.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system clock is before 1970 or after 9999; set the clock and start the server again")]
pub struct ClockError;

/// Checks that the clock is in the years 1970 to 9999, because the HTTP library fails outside them.
#[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
pub(crate) fn check_clock() -> Result<(), ClockError> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_before| ClockError)?;
    let micros = i64::try_from(since.as_micros()).map_err(|_| ClockError)?;
    if micros <= LAST_MICROS { Ok(()) } else { Err(ClockError) }
}

/// Returns a random epoch for a new log.
#[expect(clippy::disallowed_methods, reason = "this is where randomness comes from")]
pub(crate) fn draw_epoch() -> Epoch {
    let (_, low) = Uuid::new_v4().as_u64_pair();
    // The low half of a UUID has 2 fixed bits; 62 random bits are enough for an epoch.
    Epoch::new(low)
}
