//! Writes the records of a store as lines, in the order that an import needs.

use super::error::ExportError;
use super::output::Output;
use super::range::ExportRange;
use crate::archive::{Counts, FORMAT, Head, Key, Line, Record, split};
use crate::database::from_sql;
use crate::queries::ends_of_log;
use northgate_storage::codec::{CodecError, decode_event};
use rusqlite::{Connection, Row, params};

pub(super) struct Lines<'a> {
    pub(super) connection: &'a Connection,
    pub(super) schema: i64,
    pub(super) range: ExportRange,
    pub(super) out: &'a mut Output,
}

impl Lines<'_> {
    pub(super) fn put_all(&mut self) -> Result<Counts, ExportError> {
        let (_newest, trimmed) = ends_of_log(self.connection)?;
        let whole = self.range.is_everything();
        self.put(&Line::Head(Head { format: FORMAT, whole, trimmed }))?;
        let counts = Counts {
            events: self.events()?,
            alerts: self.items("alerts", "raised_at", alert_line)?,
            messages: self.items("messages", "sent_at", message_line)?,
            keys: if whole { self.keys()? } else { 0 },
        };
        self.put(&Line::End(counts))?;
        Ok(counts)
    }

    fn put(&mut self, line: &Line<'_>) -> Result<(), ExportError> {
        let mut text = serde_json::to_vec(line).map_err(CodecError::from)?;
        text.push(b'\n');
        self.out.put(&text)
    }

    /// Writes the events. The time of an event comes from its record, because older schemas have no
    /// column for it.
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

    /// Writes alerts or messages. The column `began` contains the time at which the item was
    /// created.
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

    fn keys(&mut self) -> Result<u64, ExportError> {
        // Schema 1 does not store when a key was used. Its migration uses the same expression.
        let used_at = if self.schema == 1 { "unixepoch() * 1000000" } else { "used_at" };
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
