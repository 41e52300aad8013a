//! Whether a folder's data is whole: for tests, and for whoever has doubts about a disk.

use crate::OpenError;
use crate::database::{DatabaseError, connect_to_read, from_sql};
use crate::folder::database_in;
use crate::queries::ends_of_log;
use crate::schema;
use northgate_domain::{Epoch, Position};
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
/// and the newest, and that the indices that search alerts and messages
/// know each of them, and none that is gone.
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
    if events != offset - trimmed {
        let missing = offset - trimmed - events;
        return Err(CheckError(format!("{missing} events are missing before offset {offset}")));
    }
    Ok(Checked { head: Position { epoch, offset }, events })
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
    decode: impl Fn(&[u8]) -> Result<T, CodecError>,
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
