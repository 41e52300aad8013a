//! The contents of the lock file: the epoch of the log, and notes of a server for the next start.
//!
//! A server writes the epoch after the database was created, so that the next start can detect that
//! the database is missing.

use northgate_domain::Epoch;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

/// Length in bytes of the first line: an epoch in 16 hexadecimal digits, and a line end.
const MARK_BYTES: u64 = 17;
/// Upper bound of the bytes that are read from the file. The first line and all notes together are
/// shorter.
const MOST_BYTES: u64 = 256;

/// A note for the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Note {
    /// The database or its write-ahead log was truncated, and data is lost.
    DataLost,
    /// The write-ahead log was lost, but its contents were rescued into the database.
    LogSaved,
}

impl Note {
    fn line(self) -> &'static str {
        match self {
            Self::DataLost => "data was lost\n",
            Self::LogSaved => "the write-ahead log was saved\n",
        }
    }
}

/// Whether the lock file states that a database existed.
pub(super) fn is_marked(lock: &File) -> bool {
    lock.metadata().is_ok_and(|found| found.len() > 0)
}

/// Writes that a database with the epoch `epoch` exists.
pub(super) fn put(lock: &File, epoch: Epoch) -> io::Result<()> {
    lock.write_all_at(format!("{:016x}\n", epoch.get()).as_bytes(), 0)
}

/// Whether the lock file contains this note.
pub(super) fn has(mut lock: &File, note: Note) -> bool {
    let mut held = Vec::new();
    let read = lock
        .seek(SeekFrom::Start(0))
        .and_then(|_start| lock.take(MOST_BYTES).read_to_end(&mut held));
    let line = note.line().as_bytes();
    read.is_ok() && held.windows(line.len()).any(|part| part == line)
}

/// Appends a note, which is durable when this function returns.
pub(crate) fn note(mut lock: &File, note: Note) -> io::Result<()> {
    lock.seek(SeekFrom::End(0))?;
    lock.write_all(note.line().as_bytes())?;
    lock.sync_data()
}

/// Removes the note [`Note::LogSaved`], unless the file also contains [`Note::DataLost`].
pub(crate) fn forget_saved_log(lock: &File) -> io::Result<()> {
    if has(lock, Note::LogSaved) && !has(lock, Note::DataLost) {
        lock.set_len(MARK_BYTES)?;
        lock.sync_data()?;
    }
    Ok(())
}
