//! POST throughput: with one publisher and with many, without readers and with readers.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::rounds::rounds;
use crate::arguments::TargetArgs;
use crate::clock;
use crate::error::Result;
use crate::limits;
use crate::phase;
use crate::publishers::{Pace, Plan};
use crate::receivers::Receivers;
use crate::report::{Round, TargetReport};
use crate::target::Target;

#[derive(Args, Debug, Serialize)]
pub(crate) struct PostArgs {
    /// Numbers of publishers to measure, each publisher with one alert in flight
    #[arg(long, value_delimiter = ',', default_value = "1,16,256")]
    publishers: Vec<usize>,
    /// Numbers of sockets that read, to measure with each number of publishers
    #[arg(long, value_delimiter = ',', default_value = "0,200")]
    sockets: Vec<usize>,
    /// Seconds for each combination of publishers and sockets
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Bytes of an alert's text
    #[arg(long, default_value_t = 64)]
    message_bytes: usize,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

pub(crate) fn run(args: &PostArgs) -> Result<Vec<Round>> {
    let most = |counts: &[usize]| counts.iter().max().copied().unwrap_or(0);
    limits::check(most(&args.publishers) + most(&args.sockets))?;
    rounds(&args.target, |target| measure(args, target))
}

fn measure(args: &PostArgs, target: &mut Target) -> Result<TargetReport> {
    let mut report = TargetReport::default();
    for &sockets in &args.sockets {
        let receivers = Receivers::connect(&target.endpoint, sockets, args.target.readers)?;
        for &publishers in &args.publishers {
            let limit = clock::nanos(Duration::from_secs(args.seconds));
            let plan = Plan {
                publishers,
                pace: Pace::Closed { alerts: u32::MAX, limit },
                message_bytes: args.message_bytes,
            };
            let result = phase::run(target, &receivers, &plan)?;
            let case = format!("{publishers} publishers, {sockets} readers");
            result.measure_posts(&mut report, &case);
            report.frame_bytes = result.frame_bytes().or(report.frame_bytes);
        }
    }
    Ok(report)
}
