//! Resource usage of the test process, which also runs each [`crate::TestServer`].

use std::fs;

/// Returns the resident memory in KiB.
pub fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Returns the number of open file descriptors.
pub fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}
