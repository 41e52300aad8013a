//! The errors that end a run, where possible with the remedy.

use std::error::Error as _;
use std::io;
use std::path::PathBuf;

use procfs::ProcError;
use thiserror::Error;

use crate::http::ResponseError;

pub(crate) type Result<T, E = BenchError> = std::result::Result<T, E>;

#[derive(Debug, Error)]
pub(crate) enum BenchError {
    #[error(
        "cannot start {} (build it with `cargo build --release`, or set --server PATH)",
        .path.display()
    )]
    Spawn { path: PathBuf, source: io::Error },
    #[error("the server ended, or printed no address within {seconds} s{log}")]
    NoAddress { seconds: u64, log: String },
    #[error("--url {0:?} is not valid: it must have the form http://127.0.0.1:8000")]
    BadUrl(String),
    #[error("the server did not exit within {seconds} s of SIGTERM")]
    NoExit { seconds: u64 },
    #[error("{0} starts and stops the server itself, so it cannot use --url")]
    OwnServerOnly(&'static str),
    #[error(
        "this scenario samples the server's process: set --pid with --url, or let the bench start the server"
    )]
    PidNeeded,
    #[error("cannot connect socket {at}{}", advice(.source))]
    Connect { at: usize, source: io::Error },
    #[error("socket {at} received no complete answer to its request")]
    NoUpgrade { at: usize, source: io::Error },
    #[error("socket {at} was not closed as the protocol requires")]
    NoClose { at: usize, source: io::Error },
    #[error("socket {at} was refused with {status}: {body}")]
    Refused { at: usize, status: u16, body: String },
    #[error("the server's answer cannot be parsed")]
    Response(#[from] ResponseError),
    #[error(
        "the scenario needs {wanted} open files, and the limit is {limit}: raise it (ulimit -n {wanted}) or open fewer sockets"
    )]
    FileLimit { wanted: u64, limit: u64 },
    #[error("cannot read /proc/{pid} of the server (is it still running?)")]
    Sample { pid: u32, source: ProcError },
    #[error("cannot create the histogram")]
    Latency(#[from] hdrhistogram::CreationError),
    #[error("the event loop failed")]
    Poll(#[source] io::Error),
    #[error("a receiver or publisher thread ended early")]
    ThreadGone,
    #[error("the first alert did not arrive at the sockets, so nothing can be measured: {0}")]
    NoDelivery(String),
    #[error("the answer to POST /alerts contains no position, so no client can resume")]
    NoPosition,
    #[error("cannot write {}", .path.display())]
    Report { path: PathBuf, source: io::Error },
    #[error("a call of the operating system failed")]
    System(#[from] io::Error),
}

impl BenchError {
    /// Returns the error with all its causes, on one line.
    pub(crate) fn in_full(&self) -> String {
        let mut line = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }
}

/// Returns a hint for the usual failures of connect(2).
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => " (is a server listening there?)",
        io::ErrorKind::AddrNotAvailable => {
            " (all local ports are in use: wait a minute, or widen net.ipv4.ip_local_port_range)"
        }
        io::ErrorKind::TimedOut => " (the server accepts too slowly, or its limit is reached)",
        _ => "",
    }
}
