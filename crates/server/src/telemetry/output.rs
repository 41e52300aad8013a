//! Standard output and standard error, each written by its own thread, so that a stalled reader
//! does not block the server.

use super::buffer::{Entry, LineBuffer};
use super::repeats::RepeatLimiter;
use parking_lot::{Condvar, Mutex};
use std::io::{self, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{Event, Level};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

/// Time between two attempts to write to a non-blocking stream that is full.
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// Standard output or standard error. Clones are handles to the same stream. Only [`Output::flush`]
/// blocks, and only for a bounded time.
#[derive(Debug, Clone)]
pub(super) struct Output(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Notified when a line is added, and when a flush begins.
    changed: Condvar,
    /// Notified when all lines are written.
    written: Condvar,
}

#[derive(Debug, Default)]
struct State {
    buffer: LineBuffer,
    repeats: RepeatLimiter,
    /// Whether the thread is currently writing a line.
    writing: bool,
}

impl Output {
    /// Starts the thread that writes to `stream`. `name` is the name of the thread, and names the
    /// stream in the line that reports dropped lines.
    pub(super) fn start(
        name: &'static str,
        stream: impl Write + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            written: Condvar::new(),
        });
        let writer = shared.clone();
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || writer.write_to(stream, name))?;
        Ok(Self(shared))
    }

    /// Passes a line to the thread.
    pub(super) fn push(&self, line: &str) {
        self.0.state.lock().buffer.push(line);
        self.0.changed.notify_one();
    }

    /// Returns whether `event` should be written; see [`RepeatLimiter`].
    pub(super) fn admits(&self, event: &Event<'_>) -> bool {
        self.0.state.lock().repeats.admits(event, Instant::now())
    }

    /// Writes the summaries of all repeats so far, and waits until all lines are written, at most
    /// for `within`.
    pub(super) fn flush(&self, within: Duration) {
        let mut state = self.0.state.lock();
        for repeated in state.repeats.end_all() {
            state.buffer.push(&line(repeated.level, &repeated));
        }
        self.0.changed.notify_one();
        let pending = |state: &mut State| state.writing || !state.buffer.is_empty();
        self.0.written.wait_while_for(&mut state, pending, within);
    }
}

/// The log formatter calls `write` once per line.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn write_to(&self, mut stream: impl Write, name: &str) {
        loop {
            let text = match self.next() {
                Entry::Line(line) => line,
                Entry::Dropped(count) => {
                    let told =
                        format!("{count} log lines were dropped: {name} was not read fast enough");
                    line(Level::WARN, &told)
                }
            };
            write_line(&mut stream, text.as_bytes());
        }
    }

    /// Waits for the next entry to write.
    fn next(&self) -> Entry {
        let mut state = self.state.lock();
        state.writing = false;
        loop {
            for repeated in state.repeats.end_windows(Instant::now()) {
                state.buffer.push(&line(repeated.level, &repeated));
            }
            if let Some(entry) = state.buffer.pop() {
                state.writing = true;
                return entry;
            }
            self.written.notify_all();
            match state.repeats.next_end() {
                Some(end) => drop(self.changed.wait_until(&mut state, end.into_std())),
                None => self.changed.wait(&mut state),
            }
        }
    }
}

/// Writes the complete line to `stream`, even if another process has made the stream non-blocking.
/// Other write errors are ignored, for example a closed pipe.
fn write_line(stream: &mut impl Write, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(written) if written > 0 => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(RETRY_AFTER),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
    let _ = stream.flush();
}

/// Formats a line about the log itself in the form of a log line. The log level does not filter it.
fn line(level: Level, text: &dyn std::fmt::Display) -> String {
    let mut time = String::new();
    // Writing to a string cannot fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut time));
    format!("{time} {level:>5} {text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// A stream that accepts a line when the test allows it, and then passes the line to the test.
    struct Stalling {
        allowed: Receiver<()>,
        taken: Sender<String>,
    }

    impl Write for Stalling {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // The channels return errors at the end of the test.
            let _ = self.allowed.recv();
            let _ = self.taken.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stalled_reader_blocks_nobody_and_gets_the_number_of_dropped_lines() {
        let ((allow, allowed), (taken, lines)) = (channel(), channel());
        let output = Output::start("standard error", Stalling { allowed, taken }).unwrap();
        for n in 0..3_000 {
            output.push(&n.to_string());
        }
        output.flush(Duration::from_millis(1));
        assert!(lines.try_recv().is_err(), "nothing was read");
        drop(allow);
        output.flush(Duration::from_secs(30));
        let lines: Vec<_> = lines.try_iter().collect();
        let (last, kept) = lines.split_last().unwrap();
        assert!(kept.iter().enumerate().all(|(n, line)| *line == format!("{n}\n")));
        let dropped = 3_000 - kept.len();
        let told = format!(
            "WARN {dropped} log lines were dropped: standard error was not read fast enough\n"
        );
        assert!(last.ends_with(&told), "{last}");
    }

    /// A non-blocking stream that accepts three bytes per write and is full at every other write.
    struct NonBlocking(Vec<u8>, bool);

    impl Write for NonBlocking {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.0.extend(bytes.iter().take(3));
            Ok(bytes.len().min(3))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_non_blocking_stream_receives_the_complete_line() {
        let mut stream = NonBlocking(Vec::new(), false);
        write_line(&mut stream, b"one line\n");
        assert_eq!(stream.0, b"one line\n");
    }

    #[test]
    fn a_flush_returns_when_all_lines_are_written() {
        let ((allow, allowed), (taken, lines)) = (channel(), channel());
        let output = Output::start("standard error", Stalling { allowed, taken }).unwrap();
        drop(allow);
        output.push("a");
        output.flush(Duration::from_secs(30));
        assert_eq!(lines.try_recv().unwrap(), "a\n");
    }
}
