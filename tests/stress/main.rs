//! Stress: many clients and much at once, by chance and yet repeatable, on one server at a time.
//!
//! Every scenario draws what it does from one seed, checks itself, and leaves nothing behind. The
//! seed is printed; `NORTHGATE_SEED` sets it, and `NORTHGATE_FULL` makes everything longer.

mod attacks;
mod churn;
mod client;
mod drain;
mod exchange;
mod hostile;
mod ledger;
mod live;
mod process;
mod publisher;
mod recovery;
mod slowness;
mod stage;
