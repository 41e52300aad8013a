//! Why a server did not start.

use crate::system::ClockError;
use northgate_domain::TextError;
use std::error::Error;
use std::io;
use std::net::SocketAddr;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {}; choose another with --host and --port", reason(.source))]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// Why the kernel said no.
        source: io::Error,
    },
    /// The system's clock cannot be used.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The runtime cannot be set up.
    #[error("cannot start the worker threads: {0}")]
    Runtime(#[from] io::Error),
    /// The store cannot be opened; the reason says what to do.
    #[error("{0}")]
    Store(Box<dyn Error + Send + Sync>),
    /// The words of what runs by itself are not valid text.
    #[error("cannot start the generator and the timer")]
    Generator(#[from] TextError),
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the port is in use".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have the address".to_owned(),
        _ => error.to_string(),
    }
}
