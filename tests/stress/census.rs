//! The files, threads and connections of this process: the server runs in it.

use northgate_testkit::open_files;
use std::fs;
use std::net::SocketAddr;

/// Open files and threads at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Census {
    files: usize,
    threads: usize,
}

impl Census {
    pub fn take() -> Self {
        Self { files: open_files(), threads: threads() }
    }

    pub fn holds_no_more_than(self, other: Self) -> bool {
        self.files <= other.files && self.threads <= other.threads
    }
}

/// The name of the thread that plays a scenario. Threads without a name have their parent's.
pub const SCENARIO_THREAD: &str = "scenario";

/// The threads of the scenario and of its server. The test runner's own come and go meanwhile.
fn threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    // A thread that ends while this looks has no name any more.
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names
        .filter(|name| [SCENARIO_THREAD, "actix", "tokio"].iter().any(|own| name.starts_with(own)))
        .count()
}

/// The connections that the server at this address has not closed.
pub fn connections(address: SocketAddr) -> usize {
    let listed = fs::read_to_string("/proc/self/net/tcp").unwrap();
    let port = format!(":{:04X}", address.port());
    let of_server = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let (listens, inode) = (fields[3] == "0A", fields[9]);
        fields[1].ends_with(&port) && !listens && inode != "0"
    };
    listed.lines().skip(1).filter(of_server).count()
}
