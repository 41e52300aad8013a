//! The command line, and with it the manual.

use clap::{Parser, Subcommand};

use crate::all::{self, AllArgs};
use crate::error::{BenchError, Result};
use crate::floor;
use crate::scenario::Scenario;

/// Measures a Northgate server: speed, memory, and whether every event arrives exactly once and in order.
///
/// Each scenario starts a server of its own (or takes one with --url), drives it over raw sockets, and
/// samples its processor time and memory from the operating system. In the same run it measures a bare
/// floor, one send(2) of a prebuilt frame for each socket, with the same client; so every figure is also
/// a ratio, and machines compare.
///
/// Exit code: 0 if every promise held, 1 if one was broken or the run failed, 2 for wrong arguments.
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
    /// All of these, one after the other, as docs/PERFORMANCE.md shows them; some minutes
    All(AllArgs),
    /// The floor itself, as the bench starts it
    #[command(hide = true)]
    Floor { frame_bytes: usize },
}

impl Cli {
    /// Carries out the command, and says whether every promise held.
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
