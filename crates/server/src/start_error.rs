//! The error of a server that did not start.

use crate::system::ClockError;
use northgate_domain::TextError;
use northgate_services::ScenarioError;
use std::error::Error;
use std::io;
use std::net::SocketAddr;

/// Reason why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {}", reason(.source))]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The system clock has an invalid time.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The worker threads cannot be started.
    #[error("cannot start the worker threads: {0}")]
    Runtime(#[from] io::Error),
    /// The store cannot be opened. The text of the error states what to do.
    #[error("{0}")]
    Store(Box<dyn Error + Send + Sync>),
    /// A built-in text of the generator or the alert resolver is invalid.
    #[error("cannot start the generator and the alert resolver: a built-in text is invalid")]
    Generator(#[from] TextError),
    /// A built-in text of the scenarios is invalid.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the port is in use; stop the other program, or set another --port".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "permission denied; ports below 1024 need privileges, so set another --port".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have this address; set another --host".to_owned()
        }
        _ => error.to_string(),
    }
}
