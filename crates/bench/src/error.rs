//! What can end a run, each with a line that says what to do.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::http::AnswerError;

#[derive(Debug, Error)]
pub(crate) enum BenchError {
    #[error("cannot start {}: {source}; build it (cargo build --release) or name it with --server PATH", .path.display())]
    Spawn { path: PathBuf, source: io::Error },
    #[error("the server did not print its address within {seconds} s{log}")]
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
    #[error("cannot connect socket {at}: {source}{}", advice(.source))]
    Connect { at: usize, source: io::Error },
    #[error("no answer to the upgrade of socket {at}: {source}")]
    NoUpgrade { at: usize, source: io::Error },
    #[error("the upgrade of socket {at} was answered {status}: {body}")]
    Refused { at: usize, status: u16, body: String },
    #[error("the server's answer cannot be read")]
    Answer(#[from] AnswerError),
    #[error(
        "{wanted} sockets need more open files than the limit of {limit}: raise it (ulimit -n {wanted}) or open fewer"
    )]
    FileLimit { wanted: u64, limit: u64 },
    #[error("cannot read {path} of the server: {source}; is it still running?")]
    Sample { path: String, source: io::Error },
    #[error("cannot make sense of {path}")]
    Procfs { path: String },
    #[error("the histogram cannot be made")]
    Latency(#[from] hdrhistogram::CreationError),
    #[error("the event loop failed: {0}")]
    Poll(#[source] io::Error),
    #[error("a receiver thread ended early")]
    ReceiverGone,
    #[error("the first alert did not reach the sockets, so nothing can be measured: {0}")]
    NoDelivery(String),
    #[error("POST /alerts was answered without a position, so nothing can be resumed")]
    NoPosition,
    #[error("cannot write {}: {source}", .path.display())]
    Report { path: PathBuf, source: io::Error },
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

/// What a person can do about the usual failures of connect(2).
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "; is a server listening there?",
        io::ErrorKind::AddrNotAvailable => {
            "; all local ports are in use: wait a minute, or widen net.ipv4.ip_local_port_range"
        }
        io::ErrorKind::TimedOut => "; the server accepts too slowly, or its limit is reached",
        _ => "",
    }
}
