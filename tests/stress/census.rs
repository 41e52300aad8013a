//! Counts the open files, threads and connections of this process, in which the server runs too.

use northgate_testkit::open_files;
use std::fs;
use std::net::SocketAddr;

/// The numbers of open files and threads at one time.
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

/// The name of the thread that runs a scenario. On Linux, unnamed threads inherit this name.
pub const SCENARIO_THREAD: &str = "scenario";

/// The number of threads of the scenario and its server. Threads of the test runner are not
/// counted, since they start and end independently.
fn threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    // The name of a thread that has just ended cannot be read.
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names
        .filter(|name| [SCENARIO_THREAD, "actix", "tokio"].iter().any(|own| name.starts_with(own)))
        .count()
}

/// The number of connections that the server at this address has not closed.
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
