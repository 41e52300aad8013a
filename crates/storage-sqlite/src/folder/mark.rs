//! What the lock file holds: the name of the log once there is a database, so that a database that
//! has gone is missed; and behind it what a server noted about its files for the next start.

use northgate_domain::Epoch;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

/// The length of the first line in bytes.
const MARK_BYTES: u64 = 17;
/// The most of the file that is read: a mark and all notes are shorter.
const MOST_BYTES: u64 = 256;

/// What the next start must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Note {
    /// Stored data was cut off.
    DataLost,
    /// The write-ahead log was lost, and the database has everything that was in it.
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

/// Whether there was a database.
pub(super) fn is_marked(lock: &File) -> bool {
    lock.metadata().is_ok_and(|found| found.len() > 0)
}

/// Says that there is a database, whose log is called `epoch`.
pub(super) fn put(lock: &File, epoch: Epoch) -> io::Result<()> {
    lock.write_all_at(format!("{:016x}\n", epoch.get()).as_bytes(), 0)
}

/// Whether the lock holds this note.
pub(super) fn has(mut lock: &File, note: Note) -> bool {
    let mut held = Vec::new();
    let read = lock
        .seek(SeekFrom::Start(0))
        .and_then(|_start| lock.take(MOST_BYTES).read_to_end(&mut held));
    let line = note.line().as_bytes();
    read.is_ok() && held.windows(line.len()).any(|part| part == line)
}

/// Adds a note, on disk before this returns.
pub(crate) fn note(mut lock: &File, note: Note) -> io::Result<()> {
    lock.seek(SeekFrom::End(0))?;
    lock.write_all(note.line().as_bytes())?;
    lock.sync_data()
}

/// Removes the note that the write-ahead log was saved. What was lost stays lost.
pub(crate) fn forget_saved_log(lock: &File) -> io::Result<()> {
    if has(lock, Note::LogSaved) && !has(lock, Note::DataLost) {
        lock.set_len(MARK_BYTES)?;
        lock.sync_data()?;
    }
    Ok(())
}
