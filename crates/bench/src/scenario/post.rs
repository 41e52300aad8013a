//! POST throughput: from one publisher to many, without readers and with them.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::rounds;
use crate::cli::TargetArgs;
use crate::clock;
use crate::error::BenchError;
use crate::limits;
use crate::phase;
use crate::publishers::{Pace, Plan};
use crate::receivers::Fleet;
use crate::report::{Round, Sheet, Unit};
use crate::target::Target;

#[derive(Args, Debug, Serialize)]
pub(crate) struct PostArgs {
    /// Numbers of publishers, each with one alert in flight
    #[arg(long, value_delimiter = ',', default_value = "1,16,256")]
    publishers: Vec<usize>,
    /// Numbers of sockets that read along
    #[arg(long, value_delimiter = ',', default_value = "0,200")]
    sockets: Vec<usize>,
    /// Seconds for each combination
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Length of an alert's text
    #[arg(long, default_value_t = 64)]
    message_bytes: usize,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

pub(crate) fn run(args: &PostArgs) -> Result<Vec<Round>, BenchError> {
    let most = |counts: &[usize]| counts.iter().max().copied().unwrap_or(0);
    limits::check(most(&args.publishers) + most(&args.sockets))?;
    rounds(&args.target, |target| measure(args, target))
}

fn measure(args: &PostArgs, target: &mut Target) -> Result<Sheet, BenchError> {
    let readers = usize::from(args.target.readers);
    let mut sheet = Sheet::default();
    for &sockets in &args.sockets {
        let fleet = Fleet::connect(&target.feed, sockets, readers)?;
        for &publishers in &args.publishers {
            let limit = clock::nanos(Duration::from_secs(args.seconds));
            let plan = Plan {
                publishers,
                pace: Pace::Closed { alerts: u32::MAX, limit },
                message_bytes: args.message_bytes,
            };
            let outcome = phase::run(target, &fleet, &plan)?;
            let case = format!("{publishers} publishers, {sockets} readers");
            let rate = outcome.posts_per_second();
            sheet.measure(format!("{case}: POST"), Unit::PerSecond, rate);
            for (name, quantile) in [("p50", 0.5), ("p99", 0.99)] {
                let value = outcome.published.latency.quantile_ms(quantile);
                sheet.measure(format!("{case}: {name}"), Unit::Millis, value);
            }
            let cpu = outcome.cpu_per_post();
            sheet.measure(format!("{case}: server CPU per POST"), Unit::Micros, cpu);
            sheet.verdicts.insert(case, outcome.verdict());
            sheet.frame_bytes = outcome.frame_bytes().or(sheet.frame_bytes);
        }
    }
    Ok(sheet)
}
