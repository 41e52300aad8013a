//! Everything in a folder, or what is of some time, as lines of JSON: for another store, and for
//! other programs.

use crate::OpenError;
use crate::archive::{Counts, FORMAT, Head, Key, Line, Record, split};
use crate::database::{DatabaseError, from_sql};
use crate::existing::ExistingData;
use crate::queries::ends_of_log;
use northgate_domain::Timestamp;
use northgate_storage::codec::{CodecError, decode_event};
use rusqlite::{Connection, Row, params};
use std::io::{self, Write};
use std::path::Path;

/// Which part of a store to export: by default all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExportRange {
    /// Only what began at this moment or later.
    pub since: Option<Timestamp>,
    /// Only what began before this moment.
    pub until: Option<Timestamp>,
}

impl ExportRange {
    fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    fn admits(&self, began: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= began)
            && self.until.is_none_or(|until| began < until)
    }

    /// The bounds in microseconds, as `>=` and `<` take them.
    fn micros(&self) -> (i64, i64) {
        let micros =
            |bound: Option<Timestamp>, unbounded| bound.map_or(unbounded, Timestamp::unix_micros);
        (micros(self.since, i64::MIN), micros(self.until, i64::MAX))
    }
}

/// Why an export is not whole.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no data of this program.
    #[error(transparent)]
    Data(#[from] OpenError),
    /// The data cannot be read.
    #[error("cannot read the data: {0}")]
    Read(String),
    /// The lines cannot be written.
    #[error("cannot write: {0}")]
    Write(#[source] io::Error),
}

impl From<DatabaseError> for ExportError {
    fn from(error: DatabaseError) -> Self {
        Self::Read(error.to_string())
    }
}

impl From<rusqlite::Error> for ExportError {
    fn from(error: rusqlite::Error) -> Self {
        DatabaseError::from(error).into()
    }
}

impl From<CodecError> for ExportError {
    fn from(error: CodecError) -> Self {
        DatabaseError::from(error).into()
    }
}

/// Writes what the store in `folder` holds, as it is at one moment, whether a server uses it or
/// not. A part by time has no keys, and cannot be imported: it would be a log with holes.
pub fn export(
    folder: &Path,
    range: ExportRange,
    out: &mut dyn Write,
) -> Result<Counts, ExportError> {
    let data = ExistingData::open(folder)?;
    // The transaction is the moment.
    let transaction = data.connection.unchecked_transaction()?;
    let (_newest, trimmed) = ends_of_log(&transaction)?;
    let mut lines = Lines { connection: &transaction, range, out };
    lines.put(&Line::Head(Head { format: FORMAT, whole: range.is_everything(), trimmed }))?;
    let counts = Counts {
        events: lines.events()?,
        alerts: lines.items("alerts", "raised_at", alert_line)?,
        messages: lines.items("messages", "sent_at", message_line)?,
        keys: if range.is_everything() { lines.keys(data.schema)? } else { 0 },
    };
    lines.put(&Line::End(counts))?;
    lines.out.flush().map_err(ExportError::Write)?;
    Ok(counts)
}

struct Lines<'a> {
    connection: &'a Connection,
    range: ExportRange,
    out: &'a mut dyn Write,
}

impl Lines<'_> {
    fn put(&mut self, line: &Line<'_>) -> Result<(), ExportError> {
        let mut text = serde_json::to_vec(line).map_err(CodecError::from)?;
        text.push(b'\n');
        self.out.write_all(&text).map_err(ExportError::Write)
    }

    /// The time of an event is in its record alone.
    fn events(&mut self) -> Result<u64, ExportError> {
        let mut statement =
            self.connection.prepare("SELECT place, record FROM events ORDER BY place")?;
        let mut rows = statement.query([])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let (offset, record) = record_of(row)?;
            if !self.range.is_everything() && !self.range.admits(decode_event(record)?.at()) {
                continue;
            }
            let (version, shape) = split(record)?;
            self.put(&Line::Event(Record { offset, version, shape }))?;
            count += 1;
        }
        Ok(count)
    }

    /// What outlives its event, with the time when it began in a column of its own.
    fn items(
        &mut self,
        table: &str,
        began: &str,
        line: for<'r> fn(Record<'r>) -> Line<'r>,
    ) -> Result<u64, ExportError> {
        let sql = format!(
            "SELECT place, record FROM {table} WHERE {began} >= ?1 AND {began} < ?2 ORDER BY place"
        );
        let (since, until) = self.range.micros();
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query(params![since, until])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let (offset, record) = record_of(row)?;
            let (version, shape) = split(record)?;
            self.put(&line(Record { offset, version, shape }))?;
            count += 1;
        }
        Ok(count)
    }

    fn keys(&mut self, schema: i64) -> Result<u64, ExportError> {
        // As the migration from the first schema, which did not know when a key was used.
        let used_at = if schema == 1 { "unixepoch() * 1000000" } else { "used_at" };
        let sql =
            format!("SELECT scope, value, fingerprint, {used_at}, answer FROM keys ORDER BY seen");
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let answer = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
            let (version, answer) = split(answer)?;
            let (scope, value) = (row.get(0)?, row.get(1)?);
            let (fingerprint, used_at) = (row.get(2)?, row.get(3)?);
            let key = Key { scope, value, fingerprint, used_at, version, answer };
            self.put(&Line::Key(key))?;
            count += 1;
        }
        Ok(count)
    }
}

fn alert_line(record: Record<'_>) -> Line<'_> {
    Line::Alert(record)
}

fn message_line(record: Record<'_>) -> Line<'_> {
    Line::Message(record)
}

fn record_of<'r>(row: &'r Row<'_>) -> Result<(u64, &'r [u8]), ExportError> {
    let record = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
    Ok((from_sql(row.get(0)?), record))
}
