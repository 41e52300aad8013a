//! The deadlines of tests, and the one loop that waits.

use std::thread;
use std::time::{Duration, Instant};

/// The limit for anything that takes milliseconds on a machine that is not busy.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Five times what a server allows for its own exit.
pub const EXIT_DEADLINE: Duration = Duration::from_secs(5 * 8);

/// Whether tests may take longer, and do more (`NORTHGATE_FULL`).
pub fn is_full_run() -> bool {
    std::env::var_os("NORTHGATE_FULL").is_some()
}

/// The result of one attempt; `false`, `None` and `Err` ask for another one.
pub trait Attempt {
    type Value;

    /// The value, or the reason why there is none yet.
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

/// As [`eventually`], with a limit of its own.
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
