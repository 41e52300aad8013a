//! What the operating system knows of the server: processor time, memory, open files, the state of a socket.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::Serialize;

use crate::error::BenchError;

/// Resident memory, in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Memory {
    pub(crate) rss_kib: u64,
    /// With shared pages divided among those who share them.
    pub(crate) pss_kib: u64,
}

/// User and system time of all threads, in microseconds, counted by the kernel in its own ticks.
pub(crate) fn cpu_micros(pid: u32) -> Result<u64, BenchError> {
    let path = format!("/proc/{pid}/stat");
    let text = read(&path)?;
    let ticks = ticks_in(&text).ok_or(BenchError::Procfs { path })?;
    Ok(ticks * 1_000_000 / rustix::param::clock_ticks_per_second().max(1))
}

/// Fields 14 and 15 of `proc_pid_stat(5)`; the name before them may hold blanks and brackets.
fn ticks_in(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

pub(crate) fn memory(pid: u32) -> Result<Memory, BenchError> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = read(&path)?;
    let field = |name| kib_in(&text, name);
    let (Some(rss_kib), Some(pss_kib)) = (field("Rss:"), field("Pss:")) else {
        return Err(BenchError::Procfs { path });
    };
    Ok(Memory { rss_kib, pss_kib })
}

fn kib_in(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().strip_suffix("kB")?.trim().parse().ok()
}

pub(crate) fn open_files(pid: u32) -> Result<u64, BenchError> {
    let path = format!("/proc/{pid}/fd");
    match fs::read_dir(&path) {
        Ok(entries) => Ok(entries.count() as u64),
        Err(source) => Err(BenchError::Sample { path, source }),
    }
}

/// Whether the server still holds its end of the connection from `client_port` open.
pub(crate) fn holds_connection(
    pid: u32,
    server_port: u16,
    client_port: u16,
) -> Result<bool, BenchError> {
    for table in ["tcp", "tcp6"] {
        let path = format!("/proc/{pid}/net/{table}");
        match fs::read_to_string(&path) {
            Ok(text) if has_established(&text, server_port, client_port) => return Ok(true),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && table == "tcp6" => {}
            Err(source) => return Err(BenchError::Sample { path, source }),
        }
    }
    Ok(false)
}

/// A row of `proc_pid_net(5)`: `sl local remote state …`, ports in hexadecimal, state 01 is established.
fn has_established(table: &str, server_port: u16, client_port: u16) -> bool {
    let local = format!(":{server_port:04X}");
    let remote = format!(":{client_port:04X}");
    table.lines().any(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        fields.next().is_some_and(|field| field.ends_with(&local))
            && fields.next().is_some_and(|field| field.ends_with(&remote))
            && fields.next() == Some("01")
    })
}

fn read(path: &str) -> Result<String, BenchError> {
    fs::read_to_string(path).map_err(|source| BenchError::Sample { path: path.to_owned(), source })
}

/// Something looked at again and again on a thread of its own, until it is asked for.
pub(crate) struct Repeated<T> {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<T>,
}

impl<T: Send + 'static> Repeated<T> {
    pub(crate) fn start(
        every: Duration,
        mut state: T,
        look: impl Fn(&mut T) + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                look(&mut state);
                thread::sleep(every);
            }
            state
        });
        Self { stop, thread }
    }

    pub(crate) fn finish(self) -> Result<T, BenchError> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| BenchError::ThreadGone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_read_past_a_name_with_brackets() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194560 100 0 0 0 70 30 0 0 20 0 3 0 5";
        assert_eq!(ticks_in(stat), Some(100));
    }

    #[test]
    fn memory_is_read_by_name() {
        let text = "55d0-7ffe ---p 00000000 00:00 0 [rollup]\nRss:    2048 kB\nPss:    1024 kB\n";
        assert_eq!(kib_in(text, "Rss:"), Some(2048));
        assert_eq!(kib_in(text, "Pss:"), Some(1024));
        assert_eq!(kib_in(text, "Swap:"), None);
    }

    #[test]
    fn only_an_established_row_with_both_ports_counts() {
        let table = "  sl  local_address rem_address   st\n   \
            0: 0100007F:1F40 0100007F:C001 01 0\n   \
            1: 0100007F:1F40 0100007F:C002 04 0\n";
        assert!(has_established(table, 8000, 0xC001));
        assert!(!has_established(table, 8000, 0xC002));
        assert!(!has_established(table, 8001, 0xC001));
    }

    #[test]
    fn this_process_can_be_sampled() {
        let pid = std::process::id();
        assert!(cpu_micros(pid).is_ok());
        assert!(memory(pid).unwrap().rss_kib > 0);
        assert!(open_files(pid).unwrap() > 2);
    }
}
