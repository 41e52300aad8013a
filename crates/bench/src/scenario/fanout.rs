//! Paced fan-out: alerts at a steady rate to many sockets.

use clap::Args;
use serde::Serialize;

use super::rounds::rounds;
use crate::arguments::{TargetArgs, positive};
use crate::error::Result;
use crate::limits;
use crate::phase;
use crate::publishers::{Pace, Plan};
use crate::receivers::Receivers;
use crate::report::{Round, TargetReport};
use crate::target::Target;

#[derive(Args, Debug, Serialize)]
pub(crate) struct FanoutArgs {
    /// Number of sockets that receive every alert
    #[arg(long, default_value_t = 1000)]
    sockets: usize,
    /// Number of measured alerts
    #[arg(long, default_value_t = Self::ALERTS)]
    alerts: u32,
    /// Alerts per second
    #[arg(long, default_value_t = Self::RATE, value_parser = positive)]
    rate: f64,
    /// Bytes of a frame on the wire; frames are longer if the server's JSON needs more
    #[arg(long, default_value_t = Self::FRAME_BYTES)]
    frame_bytes: usize,
    /// Number of connections that publish, in turn
    #[arg(long, default_value_t = Self::PUBLISHERS)]
    publishers: usize,
    /// Number of alerts before the measured ones
    #[arg(long, default_value_t = Self::WARMUP)]
    warmup: u32,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

impl FanoutArgs {
    const ALERTS: u32 = 200;
    const RATE: f64 = 50.0;
    const FRAME_BYTES: usize = 200;
    const PUBLISHERS: usize = 1;
    const WARMUP: u32 = 20;

    /// Returns the defaults with this number of sockets.
    pub(crate) fn over(sockets: usize, target: TargetArgs) -> Self {
        Self {
            sockets,
            alerts: Self::ALERTS,
            rate: Self::RATE,
            frame_bytes: Self::FRAME_BYTES,
            publishers: Self::PUBLISHERS,
            warmup: Self::WARMUP,
            target,
        }
    }
}

pub(crate) fn run(args: &FanoutArgs) -> Result<Vec<Round>> {
    check(args)?;
    rounds(&args.target, |target| measure(args, target))
}

pub(crate) fn check(args: &FanoutArgs) -> Result<()> {
    limits::check(args.sockets + args.publishers)
}

pub(crate) fn measure(args: &FanoutArgs, target: &mut Target) -> Result<TargetReport> {
    let receivers = Receivers::connect(&target.endpoint, args.sockets, args.target.readers)?;
    let message_bytes = phase::calibrate(target, &receivers, args.frame_bytes)?;
    let plan = |alerts| Plan {
        publishers: args.publishers,
        pace: Pace::Rate { alerts, per_second: args.rate },
        message_bytes,
    };
    phase::run(target, &receivers, &plan(args.warmup))?;
    let result = phase::run(target, &receivers, &plan(args.alerts))?;
    let mut report = TargetReport::default();
    result.measure_latency(&mut report, "delivery");
    result.measure_cpu(&mut report);
    report.measure_percentiles("POST", &result.published.latency, &[50, 99]);
    result.measure_frame(&mut report);
    report.verdicts.insert("paced".to_owned(), result.verdict());
    Ok(report)
}
