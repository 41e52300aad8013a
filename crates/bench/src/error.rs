//! The errors that end a run, each with a line that says what to do.

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
        "cannot start {} (build it with `cargo build --release`, or name it with --server PATH)",
        .path.display()
    )]
    Spawn { path: PathBuf, source: io::Error },
    #[error("the server ended, or said nothing for {seconds} s, without printing its address{log}")]
    NoAddress { seconds: u64, log: String },
    #[error("{0:?} is no address: give --url http://127.0.0.1:8000")]
    BadUrl(String),
    #[error("the server did not end within {seconds} s of its signal")]
    NoExit { seconds: u64 },
    #[error("{0}: this scenario starts and stops the server itself, so it takes no --url")]
    OwnServerOnly(&'static str),
    #[error(
        "this scenario reads the server's memory: give --pid with --url, or let the bench start it"
    )]
    PidNeeded,
    #[error("cannot connect socket {at}{}", advice(.source))]
    Connect { at: usize, source: io::Error },
    #[error("socket {at} got no answer")]
    NoUpgrade { at: usize, source: io::Error },
    #[error("socket {at} was not closed in good form")]
    NoClose { at: usize, source: io::Error },
    #[error("socket {at} was refused with {status}: {body}")]
    Refused { at: usize, status: u16, body: String },
    #[error("the server's answer cannot be read")]
    Response(#[from] ResponseError),
    #[error(
        "{wanted} sockets need more open files than the limit of {limit}: raise it (ulimit -n {wanted}) or open fewer"
    )]
    FileLimit { wanted: u64, limit: u64 },
    #[error("cannot read /proc/{pid} of the server (is it still running?)")]
    Sample { pid: u32, source: ProcError },
    #[error("the histogram cannot be made")]
    Latency(#[from] hdrhistogram::CreationError),
    #[error("the event loop failed")]
    Poll(#[source] io::Error),
    #[error("a receiver or publisher thread ended early")]
    ThreadGone,
    #[error("the first alert did not reach the sockets, so nothing can be measured: {0}")]
    NoDelivery(String),
    #[error("POST /alerts was answered without a position, so nothing can be resumed")]
    NoPosition,
    #[error("cannot write {}", .path.display())]
    Report { path: PathBuf, source: io::Error },
    #[error("the operating system refused a call")]
    System(#[from] io::Error),
}

impl BenchError {
    /// With every cause, on one line.
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

/// Advice on the usual failures of connect(2).
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
