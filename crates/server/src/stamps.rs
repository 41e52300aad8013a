//! Real ids and the real clock: the one place that asks the system for either.

use northgate_domain::{Epoch, Stamp, Stamps, Timestamp};
use time::OffsetDateTime;
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
        Timestamp::from(OffsetDateTime::now_utc())
    }
}

/// A name for a new log.
#[expect(clippy::disallowed_methods, reason = "this is where randomness comes from")]
pub(crate) fn draw_epoch() -> Epoch {
    let (_, low) = Uuid::new_v4().as_u64_pair();
    // The low half of a UUID has two fixed bits; 62 random ones are plenty for a name.
    Epoch::new(low)
}
