//! The command line and its help texts.

use clap::{Parser, Subcommand};

use crate::all::{self, AllArgs};
use crate::error::{BenchError, Result};
use crate::floor;
use crate::scenario::Scenario;

/// Measures a Northgate server: speed, memory, and whether every event arrives once and in order.
///
/// Each scenario starts its own server (or measures the one at --url), loads it over raw sockets,
/// and reads its processor time and memory from the operating system. In the same run and with the
/// same client, it also measures the floor: a minimal server that only calls send(2) with a
/// prebuilt frame for each socket. The report contains the ratio of each figure to the floor, so
/// that results of different machines can be compared.
///
/// Exit code: 0 if no promise was broken, 1 if a promise was broken or the run failed, 2 for wrong
/// arguments.
#[derive(Debug, Parser)]
#[command(name = "bench", version, verbatim_doc_comment)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Scenario(Box<Scenario>),
    /// Run all scenarios in sequence, as docs/PERFORMANCE.md shows them; takes some minutes
    All(AllArgs),
    /// Run the floor; the bench starts the floor with this command
    #[command(hide = true)]
    Floor { frame_bytes: usize },
}

impl Cli {
    /// Runs the command. Returns whether no promise was broken.
    pub(crate) fn run(&self) -> Result<bool> {
        match &self.command {
            Command::Scenario(scenario) => scenario.run(),
            Command::All(args) => all::run(args),
            Command::Floor { frame_bytes } => {
                floor::serve(*frame_bytes).map_err(BenchError::Poll)?;
                Ok(true)
            }
        }
    }
}
