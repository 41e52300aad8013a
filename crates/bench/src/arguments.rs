//! Arguments that scenarios share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

/// The server that is measured, and where the results go.
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

/// A rate above zero.
pub(crate) fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("a number above 0 is needed".to_owned()),
    }
}
