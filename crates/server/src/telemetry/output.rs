//! A stream of the process behind a thread of its own, so that a reader that stalls holds nobody.

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

/// How long to wait before writing again to a non-blocking stream that is full.
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// Standard output or standard error. Clones are handles to the same one. Nothing blocks but
/// [`Output::flush`], and that for a bounded time.
#[derive(Debug, Clone)]
pub(super) struct Output(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Notified when a line comes, and when a flush begins.
    changed: Condvar,
    /// Notified when everything was written.
    written: Condvar,
}

#[derive(Debug, Default)]
struct State {
    buffer: LineBuffer,
    repeats: RepeatLimiter,
    /// Whether the thread is writing a line now.
    writing: bool,
}

impl Output {
    /// Starts the thread that writes to `stream`, which it calls by `name` (for the thread, and for
    /// the line that counts what was dropped).
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

    /// Hands a line over to the thread.
    pub(super) fn push(&self, line: &str) {
        self.0.state.lock().buffer.push(line);
        self.0.changed.notify_one();
    }

    /// Whether `event` is to be written; see [`RepeatLimiter`].
    pub(super) fn admits(&self, event: &Event<'_>) -> bool {
        self.0.state.lock().repeats.admits(event, Instant::now())
    }

    /// Returns once everything was written, repeats that were not summed up yet included, or when
    /// `within` is over.
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

/// Each call of `write` is one line, as the formatter of log lines makes it.
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

    /// Waits for what is to be written next.
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

/// Waits until `stream` has taken the line, even if another process has made it non-blocking.
/// Whether anybody reads it is not our business.
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

/// A line of our own, in the form of all log lines; the level does not filter it.
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

    /// A reader that takes a line whenever the test allows it, and then shows it.
    struct Stalling {
        allowed: Receiver<()>,
        taken: Sender<String>,
    }

    impl Write for Stalling {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Errors come at the end of the test.
            let _ = self.allowed.recv();
            let _ = self.taken.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stalls_holds_nobody_and_is_told_how_many_lines_it_missed() {
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

    /// A stream that is non-blocking, takes three bytes at a time, and is full in between.
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
    fn a_line_for_a_stream_that_is_non_blocking_arrives_whole() {
        let mut stream = NonBlocking(Vec::new(), false);
        write_line(&mut stream, b"one line\n");
        assert_eq!(stream.0, b"one line\n");
    }

    #[test]
    fn a_flush_of_what_is_read_returns_when_it_is_written() {
        let ((allow, allowed), (taken, lines)) = (channel(), channel());
        let output = Output::start("standard error", Stalling { allowed, taken }).unwrap();
        drop(allow);
        output.push("a");
        output.flush(Duration::from_secs(30));
        assert_eq!(lines.try_recv().unwrap(), "a\n");
    }
}
