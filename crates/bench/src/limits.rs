//! The limit of open files, raised to its maximum and checked before sockets are opened.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::error::{BenchError, Result};

/// Open files that are not sockets of the scenario: standard streams, epoll, pipes, publishers.
const OTHERS: u64 = 100;

/// Raises the soft limit to the hard limit. A server that the bench starts later inherits the new
/// limit.
pub(crate) fn raise() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // If the call fails, the soft limit is unchanged, and `check` reports a limit that is too low.
    let _unchanged = setrlimit(Resource::Nofile, limit);
}

/// Fails if `sockets` sockets cannot be opened; the error contains the remedy.
pub(crate) fn check(sockets: usize) -> Result<()> {
    let wanted = sockets as u64 + OTHERS;
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < wanted => Err(BenchError::FileLimit { wanted, limit }),
        _ => Ok(()),
    }
}
