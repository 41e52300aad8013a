//! Full load: alerts as fast as the publishers can send them.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::rounds::rounds;
use crate::arguments::TargetArgs;
use crate::clock::{self, Nanos};
use crate::error::Result;
use crate::limits;
use crate::phase;
use crate::publishers::{Pace, Plan};
use crate::receivers::Receivers;
use crate::report::{Round, TargetReport, Unit};
use crate::target::Target;

#[derive(Args, Debug, Serialize)]
pub(crate) struct FloodArgs {
    /// Number of sockets that receive every alert
    #[arg(long, default_value_t = 200)]
    sockets: usize,
    /// Number of alerts, of all publishers together
    #[arg(long, default_value_t = 2000, conflicts_with = "seconds")]
    alerts: u32,
    /// Publish for this number of seconds, instead of a number of alerts
    #[arg(long)]
    seconds: Option<u64>,
    /// Number of connections that publish, each with one alert in flight
    #[arg(long, default_value_t = 8)]
    publishers: usize,
    /// Bytes of a frame on the wire; frames are longer if the server's JSON needs more
    #[arg(long, default_value_t = 200)]
    frame_bytes: usize,
    /// Number of alerts before the measured ones
    #[arg(long, default_value_t = 200)]
    warmup: u32,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

pub(crate) fn run(args: &FloodArgs) -> Result<Vec<Round>> {
    limits::check(args.sockets + args.publishers)?;
    rounds(&args.target, |target| measure(args, target))
}

fn measure(args: &FloodArgs, target: &mut Target) -> Result<TargetReport> {
    let receivers = Receivers::connect(&target.endpoint, args.sockets, args.target.readers)?;
    let message_bytes = phase::calibrate(target, &receivers, args.frame_bytes)?;
    let plan = |alerts, limit| Plan {
        publishers: args.publishers,
        pace: Pace::Closed { alerts, limit },
        message_bytes,
    };
    phase::run(target, &receivers, &plan(args.warmup, Nanos::MAX))?;
    let (alerts, limit) = match args.seconds {
        Some(seconds) => (u32::MAX, clock::nanos(Duration::from_secs(seconds))),
        None => (args.alerts, Nanos::MAX),
    };
    let result = phase::run(target, &receivers, &plan(alerts, limit))?;
    let mut report = TargetReport::default();
    let rate = result.deliveries_per_second();
    report.measure("deliveries", Unit::PerSecond, rate);
    result.measure_cpu(&mut report);
    report.measure("alerts", Unit::PerSecond, result.posts_per_second());
    result.measure_latency(&mut report, "delivery");
    result.measure_frame(&mut report);
    report.verdicts.insert("full load".to_owned(), result.verdict());
    Ok(report)
}
