//! The load generator of Northgate: measures a server over raw sockets and checks its promises.

mod all;
mod arguments;
mod cli;
mod clock;
mod connect;
mod error;
mod event_stream;
mod floor;
mod frames;
mod http;
mod http_client;
mod latency;
mod limits;
mod marker;
mod order;
mod parallel;
mod phase;
mod publishers;
mod receivers;
mod report;
mod sampling;
mod scenario;
mod server_process;
mod target;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    limits::raise();
    match cli::Cli::parse().run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // If standard error is closed, the error cannot be reported.
            let _closed = writeln!(io::stderr(), "bench: {}", error.in_full());
            ExitCode::FAILURE
        }
    }
}
