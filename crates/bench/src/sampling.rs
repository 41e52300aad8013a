//! Samples of the server from `/proc`: processor time, memory, open files, state of a socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use procfs::net::TcpState;
use procfs::process::Process;
use procfs::{ProcError, ProcResult};
use serde::Serialize;

use crate::error::{BenchError, Result};

/// Resident memory in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Memory {
    pub(crate) rss_kib: u64,
    /// Proportional set size: a shared page is divided by the number of processes that share it.
    pub(crate) pss_kib: u64,
}

fn sample<T>(pid: u32, read: impl Fn(&Process) -> ProcResult<T>) -> Result<T> {
    let process = Process::new(pid.cast_signed());
    process.and_then(|process| read(&process)).map_err(|source| BenchError::Sample { pid, source })
}

/// Returns the user and system time of all threads in microseconds. The kernel counts in ticks.
pub(crate) fn cpu_micros(pid: u32) -> Result<u64> {
    let stat = sample(pid, Process::stat)?;
    Ok((stat.utime + stat.stime) * 1_000_000 / procfs::ticks_per_second().max(1))
}

pub(crate) fn memory(pid: u32) -> Result<Memory> {
    sample(pid, |process| {
        let rollup = process.smaps_rollup()?.memory_map_rollup;
        let bytes = |name| rollup.iter().find_map(|map| map.extension.map.get(name).copied());
        let (rss, pss) = bytes("Rss").zip(bytes("Pss")).ok_or(ProcError::Incomplete(None))?;
        Ok(Memory { rss_kib: rss / 1024, pss_kib: pss / 1024 })
    })
}

pub(crate) fn open_files(pid: u32) -> Result<u64> {
    Ok(sample(pid, Process::fd_count)? as u64)
}

/// Whether the server's end of the connection from `client_port` is still open.
pub(crate) fn is_connected(pid: u32, server_port: u16, client_port: u16) -> Result<bool> {
    sample(pid, |process| {
        let mut rows = process.tcp()?;
        match process.tcp6() {
            Ok(more) => rows.extend(more),
            // The kernel may have no IPv6.
            Err(ProcError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(rows.iter().any(|row| {
            row.state == TcpState::Established
                && row.local_address.port() == server_port
                && row.remote_address.port() == client_port
        }))
    })
}

/// Takes samples at a fixed interval, on a separate thread.
pub(crate) struct Sampler<T> {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<T>,
}

impl<T: Send + 'static> Sampler<T> {
    pub(crate) fn start(
        every: Duration,
        mut state: T,
        sample: impl Fn(&mut T) + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                sample(&mut state);
                thread::sleep(every);
            }
            state
        });
        Self { stop, thread }
    }

    pub(crate) fn finish(self) -> Result<T> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| BenchError::ThreadGone)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn this_process_can_be_sampled() {
        let pid = std::process::id();
        assert!(cpu_micros(pid).is_ok());
        let memory = memory(pid).unwrap();
        // This process has a few MiB, so the bounds prove that the unit is KiB.
        assert!((500..1_000_000).contains(&memory.rss_kib));
        assert!(memory.pss_kib > 0 && memory.pss_kib <= memory.rss_kib);
        assert!(open_files(pid).unwrap() > 2);
    }

    #[test]
    fn a_connection_is_reported_until_one_end_closes() {
        let pid = std::process::id();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap().port();
        let client = TcpStream::connect(("127.0.0.1", server)).unwrap();
        let port = client.local_addr().unwrap().port();
        let (accepted, _) = listener.accept().unwrap();
        assert!(is_connected(pid, server, port).unwrap());
        assert!(!is_connected(pid, server, server).unwrap());
        drop(client);
        assert!(!is_connected(pid, server, port).unwrap());
        drop(accepted);
    }
}
