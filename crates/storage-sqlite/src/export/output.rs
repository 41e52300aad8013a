//! Writes an export in a separate thread, so that the export can end its read transaction when the
//! consumer stalls.

use super::error::ExportError;
use super::range::Limits;
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Size in bytes of the chunks in which lines are sent to the thread. A chunk can be one line
/// longer.
const CHUNK: usize = 64 * 1024;
/// Number of chunks that may wait for the consumer.
const CHUNKS: usize = 4;
/// Bytes per write to the consumer: one page of a pipe, so that the progress of a slow consumer is
/// visible.
const PIECE: usize = 4 * 1024;
/// How often the limits are checked while the consumer reads nothing.
const STEP: Duration = Duration::from_millis(50);

pub(super) struct Output {
    chunk: Vec<u8>,
    /// Number of chunks that can be sent without waiting.
    room: usize,
    chunks: SyncSender<Vec<u8>>,
    /// One result for each written chunk, and one for the final flush. No result follows an error.
    done: Receiver<io::Result<()>>,
    /// Number of pieces written.
    written: Arc<AtomicU64>,
    writer: JoinHandle<()>,
    log: LogGrowth,
    limits: Limits,
}

impl Output {
    pub(super) fn start(
        out: impl Write + Send + 'static,
        log: LogGrowth,
        limits: Limits,
    ) -> io::Result<Self> {
        let (chunks, waiting) = sync_channel(CHUNKS);
        let (results, done) = channel();
        let written = Arc::new(AtomicU64::new(0));
        let progress = written.clone();
        let writer = Builder::new().name("export-writer".to_owned());
        let writer = writer.spawn(move || write_chunks(out, &waiting, &results, &progress))?;
        let chunk = Vec::with_capacity(CHUNK);
        Ok(Self { chunk, room: CHUNKS, chunks, done, written, writer, log, limits })
    }

    pub(super) fn put(&mut self, line: &[u8]) -> Result<(), ExportError> {
        self.chunk.extend_from_slice(line);
        if self.chunk.len() < CHUNK {
            return Ok(());
        }
        self.log.check(self.limits.log_growth)?;
        self.count_done()?;
        if self.room == 0 {
            self.wait_for_room()?;
        }
        self.room -= 1;
        let chunk = mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        // If the thread has ended, its error is in `done`.
        self.chunks.send(chunk).or_else(|_gone| self.count_done())
    }

    fn count_done(&mut self) -> Result<(), ExportError> {
        for result in self.done.try_iter() {
            result.map_err(ExportError::Write)?;
            self.room += 1;
        }
        Ok(())
    }

    /// Waits, within the limits, until one chunk is written.
    fn wait_for_room(&mut self) -> Result<(), ExportError> {
        let step = STEP.min(self.limits.stalled_for);
        let mut stalled = Duration::ZERO;
        let mut written = self.written.load(Ordering::Relaxed);
        loop {
            match self.done.recv_timeout(step) {
                Ok(result) => {
                    self.room += 1;
                    return result.map_err(ExportError::Write);
                }
                Err(RecvTimeoutError::Disconnected) => return Err(writer_panicked()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.log.check(self.limits.log_growth)?;
            let before = mem::replace(&mut written, self.written.load(Ordering::Relaxed));
            stalled = if before == written { stalled + step } else { Duration::ZERO };
            if stalled >= self.limits.stalled_for {
                return Err(ExportError::Stalled { after: stalled });
            }
        }
    }

    /// Writes the remaining lines, without a time limit, because the read transaction has ended.
    pub(super) fn finish(self) -> Result<(), ExportError> {
        // If the thread has ended, its error is in `done`.
        let _ = self.chunks.send(self.chunk);
        drop(self.chunks);
        self.done.iter().try_for_each(|result| result.map_err(ExportError::Write))?;
        self.writer.join().map_err(|_panic| writer_panicked())
    }
}

fn writer_panicked() -> ExportError {
    ExportError::Write(io::Error::other("the thread that writes the export panicked"))
}

/// Writes chunks until the sender is dropped, a write fails, or the receiver of the results is
/// dropped.
fn write_chunks(
    mut out: impl Write,
    waiting: &Receiver<Vec<u8>>,
    results: &Sender<io::Result<()>>,
    written: &AtomicU64,
) {
    for chunk in waiting {
        let result = chunk.chunks(PIECE).try_for_each(|piece| {
            out.write_all(piece)?;
            written.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        let failed = result.is_err();
        if results.send(result).is_err() || failed {
            return;
        }
    }
    // If the export has ended early, no receiver is left.
    let _ = results.send(out.flush());
}

/// Measures how much a write-ahead log has grown.
pub(super) struct LogGrowth {
    log: PathBuf,
    length: u64,
}

impl LogGrowth {
    pub(super) fn from_now_on(log: PathBuf) -> Self {
        Self { length: length(&log), log }
    }

    fn check(&self, most: u64) -> Result<(), ExportError> {
        let bytes = length(&self.log).saturating_sub(self.length);
        if bytes > most { Err(ExportError::LogGrew { bytes }) } else { Ok(()) }
    }
}

/// Returns the length of a file in bytes, or 0 if it does not exist.
fn length(file: &Path) -> u64 {
    file.metadata().map_or(0, |found| found.len())
}
