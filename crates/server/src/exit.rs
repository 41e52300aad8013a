//! Reasons why a server ended, and the exit codes of the process.

use crate::open_files::TooFewFiles;
use crate::start_error::StartError;
use crate::supervisor::PartFailure;
use std::io;

/// The server could not start, or a maintenance command failed.
pub const NOT_DONE: u8 = 1;
/// The configuration is wrong.
pub const WRONG_USAGE: u8 = 2;
/// A component of the server failed at run time; the server should be restarted.
pub const PART_FAILED: u8 = 3;

/// Reason why a server did not start, or ended without a request to stop.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The process cannot listen for signals, or cannot start the threads that write to its
    /// outputs.
    #[error("cannot start: {0}")]
    Process(#[from] io::Error),
    /// The limit on open files is too low.
    #[error("cannot start: {0}")]
    Files(#[from] TooFewFiles),
    /// The server could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The server started, and one of its components failed.
    #[error(transparent)]
    Part(#[from] PartFailure),
}

impl RunError {
    /// Returns the exit code of the process.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Process(_) | Self::Files(_) | Self::Start(_) => NOT_DONE,
            Self::Part(_) => PART_FAILED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_component_has_its_own_exit_code() {
        let failure = PartFailure { part: "pump", reason: "it ended unexpectedly".to_owned() };
        let error = RunError::from(failure);
        assert_eq!(error.exit_code(), 3);
        assert_eq!(
            error.to_string(),
            "a component of the server failed: pump: it ended unexpectedly"
        );
        assert_eq!(RunError::from(io::Error::other("no threads")).exit_code(), 1);
    }
}
