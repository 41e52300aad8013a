//! Stress tests: random but repeatable load of many clients, on one server at a time.
//!
//! Every scenario derives its random choices from one seed, checks its own result, and closes
//! everything that it opened. The run prints its seed. `NORTHGATE_SEED` sets the seed, and
//! `NORTHGATE_FULL` makes every scenario longer.

mod attacks;
mod census;
mod churn;
mod dashboard;
mod delivery_audit;
mod drain;
mod hostile;
mod live;
mod publisher;
mod recording_client;
mod recovery;
mod scenario;
mod slowness;
