//! A new store from the lines of an export: all of it, or nothing.

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

/// The longest line that is read. The longest that is ever written is far shorter.
const LONGEST: u64 = 1024 * 1024;
/// So many lines are one transaction. The database has another name until it is whole, so that the
/// size of one is a matter of memory only.
const LINES: u64 = 10_000;

/// More events were never trimmed, and the offsets that follow have room.
const MOST_TRIMMED: u64 = u64::MAX / 4;

/// Why there is no new store. Nothing was put into the folder.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The folder cannot be used, or the new database cannot be made in it.
    #[error(transparent)]
    Folder(#[from] OpenError),
    /// There is data in it.
    #[error("there is data in {} already; it was left as it is", folder.display())]
    NotEmpty {
        /// The folder that was asked for.
        folder: PathBuf,
    },
    /// A line is not what it should be.
    #[error("line {number}: {reason}")]
    Line {
        /// Which one, counted from 1.
        number: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The lines cannot be read, or the new database cannot be written.
    #[error("cannot import: {0}")]
    Io(#[from] io::Error),
}

/// Makes a store in `folder`, which has none, from the lines of a whole export. The log is called
/// `epoch`, which the caller drew at random: other events may have come after these where they
/// come from. All else is as it was.
pub fn import(folder: &Path, lines: &mut dyn BufRead, epoch: Epoch) -> Result<Counts, ImportError> {
    let held = Folder::hold(folder)?;
    if has_data(&held.database) {
        return Err(ImportError::NotEmpty { folder: folder.to_owned() });
    }
    // A server that was killed before its first write left them.
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
    // One file, without a log beside it.
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

/// Whether there is a database, or a log of one, which SQLite would apply to any database that comes
/// beside it.
fn has_data(database: &Path) -> bool {
    ["", "-wal", "-journal"].into_iter().any(|suffix| {
        let found = beside(database, suffix).symlink_metadata();
        found.is_ok_and(|found| !found.is_file() || found.len() > 0)
    })
}

/// Removes a database that nobody uses, with all that SQLite keeps beside it.
fn remove_database(database: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        match fs::remove_file(beside(database, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The database under another name, until it is whole. It goes if it never is.
struct Part(PathBuf);

impl Part {
    /// What another import left when it was killed is in the way: nobody else is at work in the
    /// folder, which is held.
    fn begin(file: PathBuf) -> io::Result<Self> {
        remove_database(&file)?;
        Ok(Self(file))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next import.
        let _ = remove_database(&self.0);
    }
}

/// A store that is being made.
struct New {
    connection: WriteConnection,
    head: Option<Head>,
    counts: Counts,
    /// No index holds that they differ.
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

    /// Puts one line where it belongs, and says whether it was the last.
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
            // The newest event is how a log knows its head, and it is never trimmed.
            Line::End(_) if self.counts.events == 0 && self.connection.counters.head > 0 => {
                Err(LineError::NoNewest)
            }
            Line::End(counts) if counts == self.counts => {
                // Events came before the alerts that they are of.
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

    /// What outlives its event stands where that stood.
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

/// Reads the next line, or as much of it as there is and may be; nothing at the end.
fn next_line(mut lines: &mut dyn BufRead, text: &mut Vec<u8>) -> io::Result<bool> {
    text.clear();
    Ok((&mut lines).take(LONGEST).read_until(b'\n', text)? > 0)
}

fn wrong(number: u64, error: &LineError) -> ImportError {
    // To the reader of JSON each line is its first.
    let reason = error.to_string().replace(" at line 1 column ", " at column ");
    ImportError::Line { number, reason }
}

/// Why a line cannot be taken.
#[derive(Debug, thiserror::Error)]
enum LineError {
    #[error("it is cut off, or longer than any that was exported")]
    CutOff,
    #[error("the end is missing: the export is not whole")]
    NoEnd,
    #[error("the newest event is missing")]
    NoNewest,
    #[error("something comes after the end")]
    AfterEnd,
    #[error("it is no line of an export: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("an export begins with its head, and has one only")]
    Head,
    #[error("it is an export of form {0}, and this program knows form {FORMAT}")]
    Format(u32),
    #[error("it is an export of some time only, from which no store can be made")]
    Part,
    #[error(
        "it does not stand where it should: the offset does not follow, or the kind is out of turn"
    )]
    Order,
    #[error("another alert has the id {}", .0.0)]
    IdTaken(AlertId),
    #[error("{seen:?} were read, and the end says {said:?}")]
    Counts { said: Counts, seen: Counts },
    #[error(transparent)]
    Record(#[from] CodecError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}
