//! Creates a new store from the lines of an export: completely, or not at all.

use crate::OpenError;
use crate::archive::{Counts, FORMAT, Head, Key, Line, Record, join};
use crate::database::{DatabaseError, to_sql};
use crate::folder::{Folder, beside, rename_new, sync, unfinished_import};
use crate::schema;
use crate::write_connection::WriteConnection;
use northgate_domain::{AlertId, Epoch, Position};
use northgate_storage::codec::{
    CodecError, decode_alert, decode_event, decode_message, decode_outcome,
};
use rusqlite::params;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Upper bound of the length of a line in bytes. Exported lines are far shorter.
const LONGEST: u64 = 1024 * 1024;
/// Number of lines per transaction. An interrupted import leaves no store, so this number only
/// affects memory.
const LINES: u64 = 10_000;

/// Upper bound of the offset of the newest trimmed event. No real log is so long, and enough
/// offsets remain for new events.
const MOST_TRIMMED: u64 = u64::MAX / 4;

/// Why an import failed. The folder contains no new data.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The folder cannot be used, or the new database cannot be created in it.
    #[error(transparent)]
    Folder(#[from] OpenError),
    /// The folder already contains data.
    #[error(
        "there is already data in {}, and it was not changed; import into a new folder",
        folder.display()
    )]
    NotEmpty {
        /// The requested folder.
        folder: PathBuf,
    },
    /// A line is invalid.
    #[error("line {number}: {reason}; nothing was imported")]
    Line {
        /// Number of the line, from 1 on.
        number: u64,
        /// Why the line is invalid.
        reason: String,
    },
    /// The lines cannot be read, or the new database cannot be written.
    #[error("cannot import: {0}")]
    Io(#[from] io::Error),
}

/// Creates a store in `folder`, which must contain no data, from the lines of a complete export.
/// The new log has the epoch `epoch`, which the caller drew at random: the exported store may have
/// appended other events at the next offsets. All other data is the same as in the export.
pub fn import(folder: &Path, lines: &mut dyn BufRead, epoch: Epoch) -> Result<Counts, ImportError> {
    let held = Folder::hold(folder)?;
    if has_data(&held.database) {
        return Err(ImportError::NotEmpty { folder: folder.to_owned() });
    }
    // The removed files are empty. A server that was killed before its first write leaves such
    // files.
    remove_database(&held.database)?;
    let part = Part::begin(unfinished_import(&held.database))?;
    let open = |source| OpenError::Database { file: part.0.clone(), source };
    let mut new = New {
        connection: WriteConnection::open(&part.0, epoch, Arc::default()).map_err(open)?,
        head: None,
        counts: Counts::default(),
        ids: HashSet::new(),
    };
    let counts = new.read(lines)?;
    let connection = new.connection.sqlite;
    // The new database is a single file, without a write-ahead log.
    connection.pragma_update(None, "journal_mode", "DELETE").map_err(open)?;
    connection.close().map_err(|(_connection, source)| open(source))?;
    File::open(&part.0)?.sync_all()?;
    rename_new(&part.0, &held.database).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => ImportError::NotEmpty { folder: folder.to_owned() },
        _ => error.into(),
    })?;
    sync(folder)?;
    Ok(counts)
}

/// Whether the folder contains a database, or a log that SQLite would apply to the new database.
fn has_data(database: &Path) -> bool {
    ["", "-wal", "-journal"].into_iter().any(|suffix| {
        let found = beside(database, suffix).symlink_metadata();
        found.is_ok_and(|found| !found.is_file() || found.len() > 0)
    })
}

/// Removes a database that no process uses, with the additional files of SQLite.
fn remove_database(database: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        match fs::remove_file(beside(database, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The new database under its temporary name. Dropping the value removes all files with the
/// temporary name.
struct Part(PathBuf);

impl Part {
    /// Removes the files that a killed import left. No other import runs in the folder, because the
    /// folder is locked.
    fn begin(file: PathBuf) -> io::Result<Self> {
        remove_database(&file)?;
        Ok(Self(file))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // If this fails, the next import removes the files.
        let _ = remove_database(&self.0);
    }
}

/// A store during its import.
struct New {
    connection: WriteConnection,
    head: Option<Head>,
    counts: Counts,
    /// Ids of the imported alerts, to detect duplicates: the database has no unique index on ids.
    ids: HashSet<AlertId>,
}

impl New {
    fn read(&mut self, lines: &mut dyn BufRead) -> Result<Counts, ImportError> {
        let mut text = Vec::new();
        let mut number = 0;
        let mut ended = false;
        while next_line(lines, &mut text)? {
            number += 1;
            let taken = if ended { Err(LineError::AfterEnd) } else { self.take(number, &text) };
            ended = taken.map_err(|error| wrong(number, &error))?;
        }
        if ended { Ok(self.counts) } else { Err(wrong(number + 1, &LineError::NoEnd)) }
    }

    /// Writes one line to the database. Returns whether it was the end line.
    fn take(&mut self, number: u64, text: &[u8]) -> Result<bool, LineError> {
        if text.last() != Some(&b'\n') {
            return Err(LineError::CutOff);
        }
        let line = serde_json::from_slice(text)?;
        if number % LINES == 1 {
            self.connection.begin()?;
        }
        let last = matches!(line, Line::End(_));
        self.put(line)?;
        if last || number.is_multiple_of(LINES) {
            self.connection.commit()?;
        }
        Ok(last)
    }

    fn put(&mut self, line: Line<'_>) -> Result<(), LineError> {
        if self.head.is_none() != matches!(line, Line::Head(_)) {
            return Err(LineError::Head);
        }
        match line {
            Line::Head(head) => self.begin(head),
            Line::Event(record) => self.put_event(&record),
            Line::Alert(record) => self.put_alert(&record),
            Line::Message(record) => self.put_message(&record),
            Line::Key(key) => self.put_key(&key),
            // The head of a log is the offset of its newest event. So an export of a log that ever
            // had an event must contain the newest event.
            Line::End(_) if self.counts.events == 0 && self.connection.counters.head > 0 => {
                Err(LineError::NoNewest)
            }
            Line::End(counts) if counts == self.counts => {
                // Events were imported before alerts, so the column `alert` of the events is still
                // empty.
                self.connection.execute(schema::FIND_ALERTS_OF_EVENTS, [])?;
                Ok(())
            }
            Line::End(counts) => Err(LineError::Counts { said: counts, seen: self.counts }),
        }
    }

    fn begin(&mut self, head: Head) -> Result<(), LineError> {
        if head.format != FORMAT {
            return Err(LineError::Format(head.format));
        }
        if !head.whole {
            return Err(LineError::Part);
        }
        if head.trimmed > MOST_TRIMMED {
            return Err(LineError::Order);
        }
        self.connection.counters.trimmed = head.trimmed;
        self.connection.counters.head = head.trimmed;
        self.head = Some(head);
        Ok(())
    }

    fn put_event(&mut self, record: &Record<'_>) -> Result<(), LineError> {
        let next = self.connection.counters.head.checked_add(1);
        if next != Some(record.offset)
            || self.counts.alerts + self.counts.messages + self.counts.keys > 0
        {
            return Err(LineError::Order);
        }
        let bytes = join(record.version, record.shape);
        let at = decode_event(&bytes)?.at();
        self.connection.put_event(record.offset, at, None, &bytes)?;
        self.counts.events += 1;
        Ok(())
    }

    /// Returns the position of the event that created an alert or message.
    fn position(&self, record: &Record<'_>) -> Result<Position, LineError> {
        if record.offset == 0 || record.offset > self.connection.counters.head {
            return Err(LineError::Order);
        }
        Ok(Position { epoch: self.connection.epoch, offset: record.offset })
    }

    fn put_alert(&mut self, record: &Record<'_>) -> Result<(), LineError> {
        let position = self.position(record)?;
        let alert = decode_alert(&join(record.version, record.shape))?;
        if !self.ids.insert(alert.id) {
            return Err(LineError::IdTaken(alert.id));
        }
        self.connection.put_alert(position, &alert)?;
        self.counts.alerts += 1;
        Ok(())
    }

    fn put_message(&mut self, record: &Record<'_>) -> Result<(), LineError> {
        let position = self.position(record)?;
        let message = decode_message(&join(record.version, record.shape))?;
        self.connection.put_message(to_sql(position.offset), &message)?;
        self.counts.messages += 1;
        Ok(())
    }

    fn put_key(&mut self, key: &Key<'_>) -> Result<(), LineError> {
        let answer = join(key.version, key.answer);
        decode_outcome(&answer, self.connection.epoch)?;
        let sql = "INSERT INTO keys (scope, value, fingerprint, answer, used_at)
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let Key { scope, value, fingerprint, used_at, .. } = key;
        self.connection.execute(sql, params![scope, value, fingerprint, answer, used_at])?;
        self.counts.keys += 1;
        Ok(())
    }
}

/// Reads the next line, or its first [`LONGEST`] bytes. Returns false at the end of the input.
fn next_line(mut lines: &mut dyn BufRead, text: &mut Vec<u8>) -> io::Result<bool> {
    text.clear();
    Ok((&mut lines).take(LONGEST).read_until(b'\n', text)? > 0)
}

fn wrong(number: u64, error: &LineError) -> ImportError {
    // The JSON parser parses each line separately, so it always reports line 1.
    let reason = error.to_string().replace(" at line 1 column ", " at column ");
    ImportError::Line { number, reason }
}

/// Why a line cannot be imported.
#[derive(Debug, thiserror::Error)]
enum LineError {
    #[error("the line is cut off, or longer than 1 MiB")]
    CutOff,
    #[error("the end line is missing: the export is incomplete")]
    NoEnd,
    #[error("the newest event is missing")]
    NoNewest,
    #[error("there is data after the end line")]
    AfterEnd,
    #[error("the line is not a valid line of an export: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("the first line must be the head of the export, and no other line may be a head")]
    Head,
    #[error("the export has format {0}, and this version of Northgate reads only format {FORMAT}")]
    Format(u32),
    #[error("the export covers only a range of time; only a complete export can be imported")]
    Part,
    #[error(
        "the line is out of order: its offset is wrong, or its kind must come earlier in the export"
    )]
    Order,
    #[error("another alert in the export has the same id {}", .0.0)]
    IdTaken(AlertId),
    #[error("the export contains {seen}, but its end line states {said}")]
    Counts { said: Counts, seen: Counts },
    #[error(transparent)]
    Record(#[from] CodecError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}
