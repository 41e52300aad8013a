//! Idle sockets: memory per connection, at rest and after a burst.

use std::thread;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::rounds::rounds;
use crate::arguments::TargetArgs;
use crate::clock::Nanos;
use crate::error::Result;
use crate::limits;
use crate::phase;
use crate::publishers::{Pace, Plan};
use crate::receivers::Receivers;
use crate::report::{Round, TargetReport, Unit};
use crate::sampling::{self, Memory};
use crate::target::Target;

#[derive(Args, Debug, Serialize)]
pub(crate) struct IdleArgs {
    /// Number of idle sockets
    #[arg(long, default_value_t = 10_000, value_parser = at_least_one)]
    sockets: usize,
    /// Number of alerts in the burst
    #[arg(long, default_value_t = 100)]
    burst: u32,
    /// Bytes of a frame on the wire; frames are longer if the server's JSON needs more
    #[arg(long, default_value_t = 200)]
    frame_bytes: usize,
    /// Seconds without load before each reading of the memory
    #[arg(long, default_value_t = 3)]
    rest: u64,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

pub(crate) fn run(args: &IdleArgs) -> Result<Vec<Round>> {
    limits::check(args.sockets)?;
    rounds(&args.target, |target| measure(args, target))
}

fn measure(args: &IdleArgs, target: &mut Target) -> Result<TargetReport> {
    let pid = target.required_pid()?;
    let rested = || {
        thread::sleep(Duration::from_secs(args.rest));
        sampling::memory(pid)
    };
    // The first alert makes the server allocate the memory that does not depend on connections.
    let message_bytes = {
        let first = Receivers::connect(&target.endpoint, 1, 1)?;
        phase::calibrate(target, &first, args.frame_bytes)?
    };
    let empty = rested()?;
    let receivers = Receivers::connect(&target.endpoint, args.sockets, args.target.readers)?;
    let idle = rested()?;
    let pace = Pace::Closed { alerts: args.burst, limit: Nanos::MAX };
    let plan = Plan { publishers: 4, pace, message_bytes };
    let result = phase::run(target, &receivers, &plan)?;
    let after = rested()?;

    let mut report = TargetReport::default();
    let sockets = args.sockets as u64;
    let each = |rss: fn(&Memory) -> u64, at: &Memory| {
        phase::ratio(rss(at).saturating_sub(rss(&empty)), sockets)
    };
    let rss = |memory: &Memory| memory.rss_kib;
    let pss = |memory: &Memory| memory.pss_kib;
    report.measure("RSS per idle connection", Unit::KiB, each(rss, &idle));
    report.measure("PSS per idle connection", Unit::KiB, each(pss, &idle));
    report.measure("RSS per connection after the burst", Unit::KiB, each(rss, &after));
    report.measure("PSS per connection after the burst", Unit::KiB, each(pss, &after));
    report.measure("RSS without connections", Unit::KiB, phase::ratio(empty.rss_kib, 1));
    report.measure("RSS with all connections", Unit::KiB, phase::ratio(idle.rss_kib, 1));
    report.measure("RSS after the burst", Unit::KiB, phase::ratio(after.rss_kib, 1));
    result.measure_frame(&mut report);
    report.verdicts.insert("burst".to_owned(), result.verdict());
    Ok(report)
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("must be a number of at least 1".to_owned()),
        Ok(count) => Ok(count),
    }
}
