//! The list of scenarios, with one file for each.

mod drain;
mod fanout;
mod flood;
mod idle;
mod post;
mod resume;
mod rounds;
mod sse;
mod stall;
mod stores;
mod storm;

use std::io::{self, Write};

use clap::Subcommand;
use serde::Serialize;

use crate::arguments::TargetArgs;
use crate::error::Result;
use crate::report::{Columns, Report, Round};

#[derive(Debug, Subcommand)]
pub(crate) enum Scenario {
    /// Send alerts at a steady rate to many sockets: latency and processor time per delivery
    Fanout(fanout::FanoutArgs),
    /// Send alerts as fast as possible: deliveries per second and processor time per delivery
    Flood(flood::FloodArgs),
    /// Open many idle sockets: memory per connection, at rest and after a burst
    Idle(idle::IdleArgs),
    /// Connect and disconnect: upgrades per second, and a check that no file stays open
    Storm(storm::StormArgs),
    /// Measure throughput and latency of POST, with and without readers
    Post(post::PostArgs),
    /// Stall one reader: latency of the other readers, and time until the server disconnects it
    Stall(stall::StallArgs),
    /// Send SIGTERM under load: check that every answered alert arrives, then Close 1001, then exit
    /// code 0
    Drain(drain::DrainArgs),
    /// Resume many clients at the same time: time to catch up, and latency of a live reader
    Resume(resume::ResumeArgs),
    /// Send alerts at a steady rate to many event streams (GET /events)
    Sse(sse::SseArgs),
    /// Compare the stores on disk and in memory: POST, paced fan-out, histories, events per commit
    Stores(stores::StoresArgs),
}

const FLOOR: Columns = Columns { server: "server", floor: "floor" };

impl Scenario {
    /// Runs the scenario, prints its report, and returns whether no promise was broken.
    pub(crate) fn run(&self) -> Result<bool> {
        match self {
            Self::Fanout(args) => print(FLOOR, "fanout", &args.target, args, fanout::run(args)?),
            Self::Flood(args) => print(FLOOR, "flood", &args.target, args, flood::run(args)?),
            Self::Idle(args) => print(FLOOR, "idle", &args.target, args, idle::run(args)?),
            Self::Storm(args) => print(FLOOR, "storm", &args.target, args, storm::run(args)?),
            Self::Post(args) => print(FLOOR, "post", &args.target, args, post::run(args)?),
            Self::Stall(args) => print(FLOOR, "stall", &args.target, args, stall::run(args)?),
            Self::Drain(args) => print(FLOOR, "drain", &args.target, args, drain::run(args)?),
            Self::Resume(args) => print(FLOOR, "resume", &args.target, args, resume::run(args)?),
            Self::Sse(args) => print(FLOOR, "sse", &args.fanout.target, args, sse::run(args)?),
            Self::Stores(args) => {
                print(stores::COLUMNS, "stores", &args.target, args, stores::run(args)?)
            }
        }
    }
}

fn print(
    columns: Columns,
    scenario: &'static str,
    target: &TargetArgs,
    parameters: &impl Serialize,
    rounds: Vec<Round>,
) -> Result<bool> {
    let report = Report::new(scenario, columns, parameters, rounds);
    write!(io::stdout(), "{report}")?;
    if let Some(path) = &target.json {
        report.write_json(path)?;
    }
    Ok(report.passed())
}
