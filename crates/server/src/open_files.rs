//! The limit on open files: raised as far as it goes, and no more connections promised than it
//! holds.

use crate::ServerSection;
use rustix::process::{Resource, getrlimit, setrlimit};
use std::num::NonZeroUsize;

/// Files that the process itself holds: the store's connections, the runtime, the listener.
const OWN: u64 = 48;
/// Connections that are no streams: requests under way, and connections that wait for one.
const REQUESTS: u64 = 208;

/// The least limit that a server can work with: its own files, and a few requests.
const LEAST: u64 = 64;

/// The limit is too low for any work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the limit on open files is {limit}, and a server needs {LEAST} at least; raise it \
     (ulimit -n, or LimitNOFILE= of a systemd unit)"
)]
pub struct TooFewFiles {
    /// The limit of this process.
    pub limit: u64,
}

/// Raises this process's limit on open files to the most that it may have, and lowers what
/// `settings` promise to what fits. Says so if it must.
pub(crate) fn fit_open_files(settings: &mut ServerSection) -> Result<(), TooFewFiles> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where that is refused the limit stays, and what does not fit it is told below.
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
            "the limit on open files holds fewer connections than --max-connections; raise it \
             (ulimit -n, or LimitNOFILE= of a systemd unit), or ask for fewer"
        );
    }
    settings.max_connections = fitting;
    Ok(())
}

/// How many sockets may be open before idle ones make room: some descriptors stay free for those
/// that come next.
pub(crate) fn most_sockets() -> u64 {
    const SPARE: u64 = 16;
    getrlimit(Resource::Nofile)
        .current
        .map_or(u64::MAX, |limit| limit.saturating_sub(OWN).saturating_sub(SPARE).max(1))
}

/// As many of the `wanted` connections as fit into `limit` files beside the others. What is left of
/// a small limit is shared half and half; `None` is no limit.
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
    fn what_does_not_fit_beside_the_other_files_is_not_promised() {
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
