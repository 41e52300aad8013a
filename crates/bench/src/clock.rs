//! The one clock: monotonic nanoseconds since this process first asked.

use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// A moment, or a span, in nanoseconds.
pub(crate) type Nanos = u64;

static START: OnceLock<Instant> = OnceLock::new();

/// The present moment. Sender and receiver are one process, so no clocks are compared.
#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
pub(crate) fn now() -> Nanos {
    let now = Instant::now();
    nanos(now.saturating_duration_since(*START.get_or_init(|| now)))
}

/// Sleeps until `moment`, and not at all if it has passed.
pub(crate) fn sleep_until(moment: Nanos) {
    let now = now();
    if moment > now {
        thread::sleep(Duration::from_nanos(moment - now));
    }
}

/// A span as nanoseconds; what does not fit in 584 years is the maximum.
pub(crate) fn nanos(span: Duration) -> Nanos {
    Nanos::try_from(span.as_nanos()).unwrap_or(Nanos::MAX)
}
