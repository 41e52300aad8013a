//! The scenarios, one file each, and the rounds in which server and floor take turns.

pub(crate) mod all;
pub(crate) mod drain;
pub(crate) mod fanout;
pub(crate) mod flood;
pub(crate) mod idle;
pub(crate) mod post;
pub(crate) mod resume;
pub(crate) mod sse;
pub(crate) mod stall;
pub(crate) mod stores;
pub(crate) mod storm;

use std::io::{self, Write};

use serde::Serialize;

use crate::cli::{Scenario, Switch, TargetArgs};
use crate::error::BenchError;
use crate::floor;
use crate::phase::{self, Outcome};
use crate::report::{Columns, Report, Round, Sheet, Unit};
use crate::target::Target;

/// The floor's frames when the server's were not measured.
const FLOOR_FRAME_BYTES: usize = 200;

/// Runs a scenario, prints its report, and says whether every promise held.
pub(crate) fn run(scenario: &Scenario) -> Result<bool, BenchError> {
    match scenario {
        Scenario::Fanout(args) => told("fanout", &args.target, args, fanout::run(args)?),
        Scenario::Flood(args) => told("flood", &args.target, args, flood::run(args)?),
        Scenario::Idle(args) => told("idle", &args.target, args, idle::run(args)?),
        Scenario::Storm(args) => told("storm", &args.target, args, storm::run(args)?),
        Scenario::Post(args) => told("post", &args.target, args, post::run(args)?),
        Scenario::Stall(args) => told("stall", &args.target, args, stall::run(args)?),
        Scenario::Drain(args) => told("drain", &args.target, args, drain::run(args)?),
        Scenario::Resume(args) => told("resume", &args.target, args, resume::run(args)?),
        Scenario::Sse(args) => told("sse", &args.fanout.target, args, sse::run(args)?),
        Scenario::Stores(args) => {
            let rounds = stores::run(args)?;
            told_in(stores::COLUMNS, "stores", &args.target, args, rounds)
        }
        Scenario::All(args) => all::run(args),
        Scenario::Floor { frame_bytes } => {
            floor::serve(*frame_bytes).map_err(BenchError::Poll)?;
            Ok(true)
        }
    }
}

fn told(
    name: &'static str,
    target: &TargetArgs,
    parameters: &impl Serialize,
    rounds: Vec<Round>,
) -> Result<bool, BenchError> {
    told_in(Columns::default(), name, target, parameters, rounds)
}

fn told_in(
    columns: Columns,
    name: &'static str,
    target: &TargetArgs,
    parameters: &impl Serialize,
    rounds: Vec<Round>,
) -> Result<bool, BenchError> {
    let report = Report::new(name, columns, parameters, rounds);
    write!(io::stdout(), "{report}")?;
    if let Some(path) = &target.json {
        report.write_json(path)?;
    }
    Ok(report.passed())
}

/// Measures the server and, unless it is switched off, the floor, in turn.
fn rounds(
    args: &TargetArgs,
    measure: impl Fn(&mut Target) -> Result<Sheet, BenchError>,
) -> Result<Vec<Round>, BenchError> {
    let mut rounds = Vec::new();
    for _ in 0..args.rounds {
        let server = measure(&mut Target::server(args)?)?;
        let floor = match args.floor {
            Switch::On => {
                let frame_bytes = server.frame_bytes.unwrap_or(FLOOR_FRAME_BYTES);
                Some(measure(&mut Target::floor(frame_bytes)?)?)
            }
            Switch::Off => None,
        };
        rounds.push(Round { server, floor });
    }
    Ok(rounds)
}

/// Measures the server alone, where a floor would say nothing.
fn rounds_without_floor(
    args: &TargetArgs,
    measure: impl Fn(&mut Target) -> Result<Sheet, BenchError>,
) -> Result<Vec<Round>, BenchError> {
    let floor = Switch::Off;
    rounds(&TargetArgs { floor, ..args.clone() }, measure)
}

/// The size that frames really had, for the table and for the floor.
fn measure_frame(sheet: &mut Sheet, outcome: &Outcome) {
    let size = outcome.frame_bytes();
    let shown = size.map(|size| phase::ratio(size as u64, 1));
    sheet.measure("frame", Unit::Bytes, shown);
    sheet.frame_bytes = size;
}
