//! Time limits of tests, and the only loop that waits for a condition.

use std::thread;
use std::time::{Duration, Instant};

/// Time limit for operations that take milliseconds on an idle machine.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Time limit for the exit of a server: five times the 8 s that the server allows itself.
pub const EXIT_DEADLINE: Duration = Duration::from_secs(5 * 8);

/// Whether tests may take longer and check more: the variable `NORTHGATE_FULL` is set.
pub fn is_full_run() -> bool {
    std::env::var_os("NORTHGATE_FULL").is_some()
}

/// Result of one attempt. After `false`, `None` or `Err`, another attempt follows.
pub trait Attempt {
    type Value;

    /// Returns the value, or the reason why there is none yet.
    fn result(self) -> Result<Self::Value, String>;
}

impl Attempt for bool {
    type Value = ();

    fn result(self) -> Result<(), String> {
        self.then_some(()).result()
    }
}

impl<T> Attempt for Option<T> {
    type Value = T;

    fn result(self) -> Result<T, String> {
        self.ok_or_else(String::new)
    }
}

impl<T> Attempt for Result<T, String> {
    type Value = T;

    fn result(self) -> Self {
        self
    }
}

/// Repeats `attempt` until it succeeds, and fails the test after [`PATIENCE`].
#[track_caller]
pub fn eventually<A: Attempt>(attempt: impl FnMut() -> A) -> A::Value {
    eventually_within(PATIENCE, attempt)
}

/// Like [`eventually`], with another time limit.
#[track_caller]
pub fn eventually_within<A: Attempt>(limit: Duration, mut attempt: impl FnMut() -> A) -> A::Value {
    let deadline = Instant::now() + limit;
    loop {
        match attempt().result() {
            Ok(value) => return value,
            Err(reason) => assert!(Instant::now() < deadline, "not within {limit:?}: {reason}"),
        }
        thread::sleep(Duration::from_millis(5));
    }
}
