//! Paced fan-out: alerts at a steady rate to many sockets.

use clap::Args;
use serde::Serialize;

use super::rounds;
use crate::cli::TargetArgs;
use crate::error::BenchError;
use crate::limits;
use crate::phase;
use crate::publishers::{Pace, Plan};
use crate::receivers::Fleet;
use crate::report::{Round, Sheet, Unit};
use crate::target::Target;

#[derive(Args, Debug, Serialize)]
pub(crate) struct FanoutArgs {
    /// Sockets that receive every alert
    #[arg(long, default_value_t = 1000)]
    sockets: usize,
    /// Alerts that are measured
    #[arg(long, default_value_t = Self::ALERTS)]
    alerts: u32,
    /// Alerts a second
    #[arg(long, default_value_t = Self::RATE, value_parser = positive)]
    rate: f64,
    /// Length of a frame on the wire; if the server's JSON is longer by itself, that
    #[arg(long, default_value_t = Self::FRAME_BYTES)]
    frame_bytes: usize,
    /// Connections that publish, in turn
    #[arg(long, default_value_t = Self::PUBLISHERS)]
    publishers: usize,
    /// Alerts before the measured ones
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

    /// What is measured where nothing else is asked for, over so many sockets.
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

pub(crate) fn run(args: &FanoutArgs) -> Result<Vec<Round>, BenchError> {
    check(args)?;
    rounds(&args.target, |target| measure(args, target))
}

pub(crate) fn check(args: &FanoutArgs) -> Result<(), BenchError> {
    limits::check(args.sockets + args.publishers)
}

pub(crate) fn measure(args: &FanoutArgs, target: &mut Target) -> Result<Sheet, BenchError> {
    let readers = usize::from(args.target.readers);
    let fleet = Fleet::connect(&target.feed, args.sockets, readers)?;
    let message_bytes = phase::calibrate(target, &fleet, args.frame_bytes)?;
    let plan = |alerts| Plan {
        publishers: args.publishers,
        pace: Pace::Rate { alerts, per_second: args.rate },
        message_bytes,
    };
    phase::run(target, &fleet, &plan(args.warmup))?;
    let outcome = phase::run(target, &fleet, &plan(args.alerts))?;
    let mut sheet = Sheet::default();
    outcome.measure_latency(&mut sheet, "delivery");
    let cpu = outcome.cpu_per_delivery();
    sheet.measure("server CPU per delivery", Unit::Micros, cpu);
    let client = outcome.client_cpu_per_delivery();
    sheet.measure("client CPU per delivery", Unit::Micros, client);
    let answer = &outcome.published.latency;
    sheet.measure("POST p50", Unit::Millis, answer.quantile_ms(0.5));
    sheet.measure("POST p99", Unit::Millis, answer.quantile_ms(0.99));
    super::measure_frame(&mut sheet, &outcome);
    sheet.verdicts.insert("paced".to_owned(), outcome.verdict());
    Ok(sheet)
}

/// A rate above zero.
pub(crate) fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("a number above 0 is needed".to_owned()),
    }
}
