//! Whether a folder's data is whole: for tests, and for whoever has doubts about a disk.

use crate::columns::{severity_number, status_number};
use crate::database::{DatabaseError, connect_to_read, from_sql};
use crate::folder::database_in;
use crate::queries::ends_of_log;
use crate::schema;
use crate::{OpenError, columns};
use northgate_domain::{DedupKey, Epoch, Position, Source, Timestamp};
use northgate_storage::Tally;
use northgate_storage::codec::{
    CodecError, decode_alert, decode_answer, decode_event, decode_message,
};
use rusqlite::Connection;
use std::path::Path;

/// What a whole database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// The place of the newest event.
    pub head: Position,
    /// How many events are held.
    pub events: u64,
}

/// What is wrong with a database.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CheckError(String);

impl From<DatabaseError> for CheckError {
    fn from(error: DatabaseError) -> Self {
        Self(error.to_string())
    }
}

impl From<OpenError> for CheckError {
    fn from(error: OpenError) -> Self {
        Self(error.to_string())
    }
}

impl From<rusqlite::Error> for CheckError {
    fn from(error: rusqlite::Error) -> Self {
        DatabaseError::from(error).into()
    }
}

/// Reads everything in the database of `folder`, whether a server uses it or not, and changes
/// nothing: the file's own integrity, every record, that no event is missing between the oldest
/// and the newest, that the counts of alerts are right, and that the indices that search alerts and
/// messages know each of them, and none that is gone.
pub fn check(folder: &Path) -> Result<Checked, CheckError> {
    let database = database_in(folder);
    schema::recognise(&database)?;
    let connection = connect_to_read(&database)?;
    let transaction = connection.unchecked_transaction()?;
    let verdict: String = transaction.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(CheckError(verdict));
    }
    let epoch: Epoch = schema::epoch(&transaction)?;
    let (offset, trimmed) = ends_of_log(&transaction)?;
    let events = readable(&transaction, "SELECT place, record FROM events", decode_event)?;
    readable(&transaction, "SELECT place, record FROM alerts", decode_alert)?;
    readable(&transaction, "SELECT place, record FROM messages", decode_message)?;
    let answer = |record: &[u8]| decode_answer(record, epoch);
    readable(&transaction, "SELECT seen, answer FROM keys", answer)?;
    is_indexed(&transaction, "alerts", "by their words", "alert_words")?;
    is_indexed(&transaction, "alerts", "by their ids", "alert_ids")?;
    is_indexed(&transaction, "messages", "by their words", "message_words")?;
    if standing(&transaction)? != columns::tally(&transaction)? {
        return Err(CheckError("the counts of alerts are not those of the alerts".to_owned()));
    }
    if events != offset - trimmed {
        let missing = offset - trimmed - events;
        return Err(CheckError(format!("{missing} events are missing before offset {offset}")));
    }
    Ok(Checked { head: Position { epoch, offset }, events })
}

/// Counts the alerts, each of which must stand in its columns as its record says.
fn standing(connection: &Connection) -> Result<Tally, CheckError> {
    let sql = "SELECT place, record, status, severity, source, dedup_key, expires_at, updated_at,
                   raised_at, location
               FROM alerts";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut tally = Tally::default();
    while let Some(row) = rows.next()? {
        let record = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let alert = decode_alert(record).map_err(DatabaseError::from)?;
        let text = |column| row.get::<_, Option<String>>(column);
        let stands = row.get::<_, i64>(2)? == status_number(alert.status.kind())
            && row.get::<_, i64>(3)? == severity_number(alert.severity)
            && text(4)?.as_deref() == alert.source.as_ref().map(Source::as_str)
            && text(5)?.as_deref() == alert.dedup_key.as_ref().map(DedupKey::as_str)
            && row.get::<_, Option<i64>>(6)? == alert.expires_at.map(Timestamp::unix_micros)
            && row.get::<_, i64>(7)? == alert.updated_at.unix_micros()
            && row.get::<_, i64>(8)? == alert.raised_at.unix_micros()
            && text(9)?.as_deref() == Some(alert.location.as_str());
        if !stands {
            let place = from_sql(row.get(0)?);
            let reason = format!("the alert at {place} does not stand as its record says");
            return Err(CheckError(reason));
        }
        tally.add(&alert);
    }
    Ok(tally)
}

/// Each item is in the index, and nothing in it is of an item that is gone.
fn is_indexed(
    connection: &Connection,
    items: &str,
    by: &str,
    index: &str,
) -> Result<(), CheckError> {
    // A table that FTS5 keeps: the size of each document that it knows.
    let known = format!("SELECT id FROM {index}_docsize");
    let sql = format!(
        "SELECT (SELECT count(*) FROM {items} WHERE place NOT IN ({known})),
                (SELECT count(*) FROM ({known}) WHERE id NOT IN (SELECT place FROM {items}))"
    );
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    match connection.query_row(&sql, [], row)? {
        (0, 0) => Ok(()),
        (without, gone) => Err(CheckError(format!(
            "{without} {items} cannot be found {by}, and {gone} that are gone still can"
        ))),
    }
}

/// Counts the records of a table, all of which must be readable.
fn readable<T>(
    connection: &Connection,
    sql: &str,
    mut decode: impl FnMut(&[u8]) -> Result<T, CodecError>,
) -> Result<u64, CheckError> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let place = from_sql(row.get(0)?);
        let record = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        decode(record).map_err(|error| CheckError(format!("the record at {place}: {error}")))?;
        count += 1;
    }
    Ok(count)
}
