//! The limit on open files. The server raises it to its maximum, and lowers the connection limit to
//! fit.

use crate::ServerSection;
use rustix::process::{Resource, getrlimit, setrlimit};
use std::num::NonZeroUsize;

/// Open files of the process itself: the store's connections, the runtime, the listener.
const OWN: u64 = 48;
/// Connections that are not streams: with a request in progress, or idle between two requests.
const REQUESTS: u64 = 208;

/// Lower bound of the limit: the process's own files and a few requests.
const LEAST: u64 = 64;

/// The limit on open files is too low to run a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the limit on open files is {limit}, but the server needs at least {LEAST}; raise the limit \
     (ulimit -n, or LimitNOFILE= of a systemd unit)"
)]
pub struct TooFewFiles {
    /// Limit on open files of this process.
    pub limit: u64,
}

/// Raises this process's limit on open files to its maximum. If `max_connections` of `settings`
/// does not fit into the limit, this function lowers `max_connections` and logs a warning.
pub(crate) fn fit_open_files(settings: &mut ServerSection) -> Result<(), TooFewFiles> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // If the kernel refuses, the old limit stays, and the checks below use it.
    let _ = setrlimit(Resource::Nofile, limit);
    let limit = getrlimit(Resource::Nofile).current;
    if let Some(limit) = limit.filter(|limit| *limit < LEAST) {
        return Err(TooFewFiles { limit });
    }
    let wanted = settings.max_connections;
    let fitting = fitting(wanted, limit);
    if let (true, Some(limit)) = (fitting < wanted, limit) {
        tracing::warn!(
            open_files.limit = limit,
            connections.wanted = wanted,
            connections.most = fitting,
            "the limit on open files allows fewer connections than --max-connections; raise the \
             limit (ulimit -n, or LimitNOFILE= of a systemd unit), or lower --max-connections"
        );
    }
    settings.max_connections = fitting;
    Ok(())
}

/// Upper bound of open sockets. Above this bound, the server closes idle connections, so that some
/// file descriptors stay free for new connections.
pub(crate) fn most_sockets() -> u64 {
    const SPARE: u64 = 16;
    getrlimit(Resource::Nofile)
        .current
        .map_or(u64::MAX, |limit| limit.saturating_sub(OWN).saturating_sub(SPARE).max(1))
}

/// Returns how many of the `wanted` connections fit into `limit` files beside the other files. If
/// the limit is small, streams get half of the remaining files. `None` means no limit.
fn fitting(wanted: NonZeroUsize, limit: Option<u64>) -> NonZeroUsize {
    let Some(limit) = limit else { return wanted };
    let left = limit.saturating_sub(OWN);
    let most = left - REQUESTS.min(left.div_ceil(2));
    let most = usize::try_from(most).ok().map(|most| NonZeroUsize::new(most.max(1)));
    most.flatten().map_or(wanted, |most| wanted.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_on_open_files_bounds_the_number_of_connections() {
        let fitting = |wanted: usize, limit| fitting(wanted.try_into().unwrap(), limit).get();
        assert_eq!(fitting(15_000, None), 15_000);
        assert_eq!(fitting(15_000, Some(15_256)), 15_000);
        assert_eq!(fitting(15_000, Some(15_255)), 14_999);
        assert_eq!(fitting(15_000, Some(1_024)), 768);
        assert_eq!(fitting(15_000, Some(512)), 256);
        assert_eq!(fitting(15_000, Some(128)), 40);
        assert_eq!(fitting(15_000, Some(64)), 8);
        assert_eq!(fitting(15_000, Some(1)), 1);
        assert_eq!(fitting(15_000, Some(0)), 1);
        assert_eq!(fitting(1, Some(u64::MAX)), 1);
    }
}
