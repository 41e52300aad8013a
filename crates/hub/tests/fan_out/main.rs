//! Tests of the fan-out through its public API: cursors, workers and the pump, without sockets.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "shared test code may panic, as tests do"
)]

mod catching_up;
mod client;
mod draining;
mod draining_behind;
mod draining_filtered;
mod failing_workers;
mod falling_behind;
mod faulty_log;
mod filtering;
mod honest_notices;
mod model;
mod newest;
mod noticing;
mod one_thread;
mod patience;
mod places;
mod pumping;
mod resuming;
mod sample;
mod sharing;
mod threads;
mod threads_behind;
mod waking;
mod wanted;
