//! Real ids and the real clock: the one place that asks the system for either.

use northgate_domain::{Epoch, Stamp, Stamps, Timestamp};
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// Random ids (UUID v4) and the system's clock.
pub(crate) struct SystemStamps;

impl Stamps for SystemStamps {
    #[expect(clippy::disallowed_methods, reason = "this is where ids come from")]
    fn stamp(&self) -> Stamp {
        Stamp { id: Uuid::new_v4(), at: self.now() }
    }

    #[expect(clippy::disallowed_methods, reason = "this is where time comes from")]
    fn now(&self) -> Timestamp {
        // A clock that is far off is no reason to fail: years beyond 9999 have no date.
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let micros = since.map_or_else(
            |before| -i128::try_from(before.duration().as_micros()).unwrap_or(i128::MAX),
            |since| i128::try_from(since.as_micros()).unwrap_or(i128::MAX),
        );
        let saturated = if micros < 0 { i64::MIN } else { i64::MAX };
        Timestamp::from_unix_micros(i64::try_from(micros).unwrap_or(saturated))
    }
}

/// A name for a new log.
#[expect(clippy::disallowed_methods, reason = "this is where randomness comes from")]
pub(crate) fn draw_epoch() -> Epoch {
    let (_, low) = Uuid::new_v4().as_u64_pair();
    // The low half of a UUID has two fixed bits; 62 random ones are plenty for a name.
    Epoch::new(low)
}
