//! The limit on open files, raised as far as it goes and checked before sockets are opened.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::error::{BenchError, Result};

/// Files that are no sockets of the scenario: the standard ones, epoll, pipes, publishers.
const OTHERS: u64 = 100;

/// Raises the soft limit to the hard one. A server started afterwards inherits it.
pub(crate) fn raise() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Without the right to do so the soft limit stays, and `check` speaks up if it is too low.
    let _unchanged = setrlimit(Resource::Nofile, limit);
}

/// Fails early, with what to do, if so many sockets cannot be opened.
pub(crate) fn check(sockets: usize) -> Result<()> {
    let wanted = sockets as u64 + OTHERS;
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < wanted => Err(BenchError::FileLimit { wanted, limit }),
        _ => Ok(()),
    }
}
