//! Stress: many clients and much at once, by chance and yet repeatable, on one server at a time.
//!
//! Every scenario draws what it does from one seed, checks itself, and leaves nothing behind. The
//! seed is printed; `NORTHGATE_SEED` sets it, and `NORTHGATE_FULL` makes everything longer.

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
