//! The only clock: monotonic nanoseconds since the first call in this process.

use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// A time or a span in nanoseconds.
pub(crate) type Nanos = u64;

static START: OnceLock<Instant> = OnceLock::new();

/// Returns the current time. Publishers and receivers are in one process and share this clock, so
/// no clocks have to be synchronised.
#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
pub(crate) fn now() -> Nanos {
    let now = Instant::now();
    nanos(now.saturating_duration_since(*START.get_or_init(|| now)))
}

/// Sleeps until the time `moment`. Returns immediately if this time has passed.
pub(crate) fn sleep_until(moment: Nanos) {
    let now = now();
    if moment > now {
        thread::sleep(Duration::from_nanos(moment - now));
    }
}

/// Returns a span in nanoseconds, at most the maximum of about 584 years.
pub(crate) fn nanos(span: Duration) -> Nanos {
    Nanos::try_from(span.as_nanos()).unwrap_or(Nanos::MAX)
}
