//! A server process that the bench started: its address, last log lines, signals and exit.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::clock;
use crate::error::{BenchError, Result};

const START_LIMIT: Duration = Duration::from_secs(20);
/// Limit for the server's exit. The server's own deadline is 8 s.
const EXIT_LIMIT: Duration = Duration::from_secs(30);
const LOG_LIMIT: Duration = Duration::from_secs(2);
const POLL_INTERVAL: Duration = Duration::from_millis(1);
const LOG_LINES: usize = 12;

type Log = Arc<Mutex<VecDeque<String>>>;

/// A running server process, killed on drop.
pub(crate) struct ServerProcess {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Standard input of the process. The floor ends when its standard input closes, so the floor
    /// also ends when the bench is killed.
    _stdin: Option<ChildStdin>,
    log: Log,
}

impl ServerProcess {
    /// Starts the server and waits for the line with its address.
    pub(crate) fn start(program: &Path, arguments: &[String]) -> Result<Self> {
        let spawned = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child =
            spawned.map_err(|source| BenchError::Spawn { path: program.to_owned(), source })?;
        let log = Log::default();
        let stdin = child.stdin.take();
        keep_last_lines(child.stderr.take(), Arc::clone(&log));
        let lines = lines_of(child.stdout.take());
        let mut process =
            Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)), _stdin: stdin, log };
        process.address = process.await_address(&lines)?;
        Ok(process)
    }

    fn await_address(&self, lines: &Receiver<String>) -> Result<SocketAddr> {
        let deadline = clock::now() + clock::nanos(START_LIMIT);
        while let Some(left) = deadline.checked_sub(clock::now()) {
            let Ok(line) = lines.recv_timeout(Duration::from_nanos(left)) else {
                break;
            };
            if let Some(address) = address_in(&line) {
                return Ok(address);
            }
        }
        // The thread that reads the log may finish shortly after the process ends.
        thread::sleep(Duration::from_millis(50));
        let seconds = START_LIMIT.as_secs();
        Err(BenchError::NoAddress { seconds, log: self.last_lines() })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns the last lines of the log, for an error message.
    pub(crate) fn last_lines(&self) -> String {
        let lines = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for line in lines.iter() {
            text.push_str("\n  | ");
            text.push_str(line);
        }
        text
    }

    /// Returns the last stored log line that contains `word`. Waits up to [`LOG_LIMIT`] for this
    /// line, because the thread that reads the log may finish shortly after the process ends.
    pub(crate) fn last_line_with(&self, word: &str) -> Option<String> {
        let deadline = clock::now() + clock::nanos(LOG_LIMIT);
        while clock::now() < deadline {
            let lines = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(line) = lines.iter().rfind(|line| line.contains(word)) {
                return Some(line.clone());
            }
            drop(lines);
            thread::sleep(POLL_INTERVAL);
        }
        None
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        if let Some(pid) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw) {
            // The call fails only if the process has ended, and `wait` reports that.
            let _ended = kill_process(pid, Signal::TERM);
        }
    }

    /// Waits for the exit, at most [`EXIT_LIMIT`].
    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        let deadline = clock::now() + clock::nanos(EXIT_LIMIT);
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if clock::now() > deadline {
                let seconds = EXIT_LIMIT.as_secs();
                return Err(BenchError::NoExit { seconds });
            }
            thread::sleep(POLL_INTERVAL);
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // Errors are ignored: there is no other way to end the process.
            let _ended = self.child.kill();
            let _status = self.child.wait();
        }
    }
}

/// Returns the address in a line such as `listening on http://127.0.0.1:8000`.
pub(crate) fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || ".:[]".contains(c)))
        .unwrap_or(rest.len());
    let host = rest.get(..end)?.replace("localhost", "127.0.0.1");
    host.parse().ok()
}

fn keep_last_lines(stream: Option<impl Read + Send + 'static>, log: Log) {
    let Some(stream) = stream else { return };
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut lines = log.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() == LOG_LINES {
                lines.pop_front();
            }
            lines.push_back(line);
        }
    });
}

/// Returns the lines of a stream, which is read to its end so that the server never blocks on a
/// full pipe.
fn lines_of(stream: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (lines, received) = mpsc::channel();
    if let Some(stream) = stream {
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                // When the address is known, the receiver is dropped. The pipe must still be read.
                let _nobody_listens = lines.send(line);
            }
        });
    }
    received
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_a_line_of_text_or_json() {
        let expected: SocketAddr = ([127, 0, 0, 1], 43127).into();
        for line in [
            "http://127.0.0.1:43127",
            "northgate listens on http://127.0.0.1:43127 (open)",
            "{\"url\":\"http://127.0.0.1:43127\"}",
            "http://localhost:43127/",
        ] {
            assert_eq!(address_in(line), Some(expected), "{line}");
        }
        assert_eq!(address_in("starting"), None);
        assert_eq!(address_in("http://[::1]:80").map(|a| a.port()), Some(80));
    }
}
