//! The arguments, and with them the manual.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Serialize;

use crate::scenario::{all, drain, fanout, flood, idle, post, resume, sse, stall, stores, storm};

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
    pub(crate) scenario: Scenario,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Scenario {
    /// Alerts at a steady pace to many sockets: latency and processor time per delivery
    Fanout(fanout::FanoutArgs),
    /// Alerts as fast as publishers can: deliveries per second and processor time per delivery
    Flood(flood::FloodArgs),
    /// Many sockets that do nothing: memory per connection, at rest and after a burst
    Idle(idle::IdleArgs),
    /// Connecting and disconnecting: upgrades per second, and no file left open afterwards
    Storm(storm::StormArgs),
    /// POST throughput and latency, with and without readers
    Post(post::PostArgs),
    /// One reader that never reads: what it costs the others, and when it is cut
    Stall(stall::StallArgs),
    /// SIGTERM under load: everything answered arrives, then Close 1001, then a clean exit
    Drain(drain::DrainArgs),
    /// Clients that come back at once and resume: time to catch up, and what it costs a live reader
    Resume(resume::ResumeArgs),
    /// Alerts at a steady pace to many event streams (GET /events)
    Sse(sse::SseArgs),
    /// The store on disk against the one in memory: POST, paced fan-out, histories, and what a commit carries
    Stores(stores::StoresArgs),
    /// All of these, one after the other, as docs/PERFORMANCE.md shows them; some minutes
    All(all::AllArgs),
    /// The floor itself, as the bench starts it
    #[command(hide = true)]
    Floor { frame_bytes: usize },
}

/// What is measured, and where the results go.
#[derive(Args, Clone, Debug, Serialize)]
pub(crate) struct TargetArgs {
    /// The server to start [default: `northgate` beside this program]
    #[arg(long, value_name = "PATH", conflicts_with = "url")]
    pub(crate) server: Option<PathBuf>,
    #[arg(long, help = "A server that is running already, such as http://127.0.0.1:8000")]
    pub(crate) url: Option<String>,
    /// The process to sample, with --url
    #[arg(long, requires = "url")]
    pub(crate) pid: Option<u32>,
    /// Worker threads of the server that is started
    #[arg(long)]
    pub(crate) workers: Option<usize>,
    /// The path that upgrades to a WebSocket
    #[arg(long, default_value = "/ws")]
    pub(crate) path: String,
    /// Threads that read the sockets
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) readers: u16,
    /// Measure the bare floor in the same run, where the scenario has one
    #[arg(long, value_enum, default_value_t = Switch::On)]
    pub(crate) floor: Switch,
    /// Repeat everything so often, server and floor in turn; the table shows medians
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) rounds: u16,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub(crate) json: Option<PathBuf>,
    /// Further arguments for the server that is started
    #[arg(last = true, value_name = "SERVER_ARGS")]
    pub(crate) server_args: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Switch {
    On,
    Off,
}
