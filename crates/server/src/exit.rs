//! Why a server ended, and with which exit code the process says so.

use crate::open_files::TooFewFiles;
use crate::start_error::StartError;
use crate::supervisor::PartFailure;
use std::io;

/// The server could not start, or a tool could not do its work.
pub const NOT_DONE: u8 = 1;
/// The configuration is wrong.
pub const WRONG_USAGE: u8 = 2;
/// A part of the server failed while it ran; it should be started again.
pub const PART_FAILED: u8 = 3;

/// Why a server does not run (any more), other than that it was stopped.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It cannot listen for signals, or cannot start the threads that write its lines.
    #[error("cannot start: {0}")]
    Process(#[from] io::Error),
    /// It may open too few files.
    #[error("cannot start: {0}")]
    Files(#[from] TooFewFiles),
    /// It could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It started, and a part of it failed.
    #[error(transparent)]
    Part(#[from] PartFailure),
}

impl RunError {
    /// The exit code of the process.
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
    fn a_failed_part_has_an_exit_code_of_its_own() {
        let failure = PartFailure { part: "pump", reason: "it ended by itself".to_owned() };
        let error = RunError::from(failure);
        assert_eq!(error.exit_code(), 3);
        assert_eq!(error.to_string(), "a part of the server has failed: pump: it ended by itself");
        assert_eq!(RunError::from(io::Error::other("no threads")).exit_code(), 1);
    }
}
