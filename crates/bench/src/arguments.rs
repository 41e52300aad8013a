//! Command line arguments that the scenarios share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

/// Arguments for the measured server and for the results.
#[derive(Args, Clone, Debug, Serialize)]
pub(crate) struct TargetArgs {
    /// The server program to start [default: `northgate` in the folder of this program]
    #[arg(long, value_name = "PATH", conflicts_with = "url")]
    pub(crate) server: Option<PathBuf>,
    #[arg(long, help = "A running server to measure, such as http://127.0.0.1:8000")]
    pub(crate) url: Option<String>,
    /// Process id of the server at --url, to sample its processor time and memory
    #[arg(long, requires = "url")]
    pub(crate) pid: Option<u32>,
    /// Worker threads of the started server [default: the server's own default]
    #[arg(long)]
    pub(crate) workers: Option<usize>,
    /// Path of the WebSocket
    #[arg(long, default_value = "/ws")]
    pub(crate) path: String,
    /// Number of threads that read the sockets
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) readers: u16,
    /// Measure the floor in the same run, if the scenario has one
    #[arg(long, value_enum, default_value_t = Switch::On)]
    pub(crate) floor: Switch,
    /// Number of rounds, each with the server and then the floor; the table shows medians
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) rounds: u16,
    /// Write the report to this file as JSON
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub(crate) json: Option<PathBuf>,
    /// More arguments for the started server
    #[arg(last = true, value_name = "SERVER_ARGS")]
    pub(crate) server_args: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Switch {
    On,
    Off,
}

/// Parses a finite number above zero.
pub(crate) fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("must be a number above 0".to_owned()),
    }
}
