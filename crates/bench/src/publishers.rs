//! The publishers, which send alerts at a steady rate, or as fast as the responses arrive.

mod closed;
mod paced;
mod plan;

use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;

use crate::error::Result;
use crate::marker::Run;
use paced::Schedule;
pub(crate) use plan::{Pace, Plan, Published};

/// Publishes the plan and returns when every publisher is done. A paced plan ends early when `over`
/// is set.
pub(crate) fn publish(
    address: SocketAddr,
    run: &Run,
    plan: &Plan,
    over: &AtomicBool,
) -> Result<Published> {
    match plan.pace {
        Pace::Rate { alerts, per_second } => {
            paced::publish(address, run, plan, &Schedule { alerts, per_second, over })
        }
        Pace::Closed { alerts, limit } => closed::publish(address, run, plan, alerts, limit),
    }
}
