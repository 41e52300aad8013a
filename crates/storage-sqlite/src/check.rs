//! Checks that a folder's data is intact, for tests and for an administrator who suspects damage.

mod contents;
mod error;

pub use error::CheckError;

use crate::existing::ExistingData;
use crate::queries::ends_of_log;
use crate::schema;
use contents::Contents;
use northgate_domain::Position;
use northgate_storage::codec::{decode_alert, decode_event, decode_message, decode_outcome};
use std::path::Path;

/// Summary of an intact database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Position of the newest event.
    pub head: Position,
    /// Number of retained events.
    pub events: u64,
    /// Version of the schema if this program knows a newer one; otherwise `None`. A server migrates
    /// an older schema when it starts.
    pub older_schema: Option<i64>,
}

/// Reads the complete database of `folder` and changes nothing. A server may use the folder at the
/// same time. Checks that:
/// - SQLite finds the file intact, and every record can be decoded;
/// - no event is missing between the oldest and the newest;
/// - the columns and the counts of alerts match their records;
/// - the search indices contain every alert and message, and none that was removed.
///
/// An older schema has fewer columns, indices and counts, so fewer of them are checked.
pub fn check(folder: &Path) -> Result<Checked, CheckError> {
    let data = ExistingData::open(folder)?;
    let transaction = data.connection.unchecked_transaction()?;
    let verdict: String = transaction.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(CheckError::NotWhole(verdict));
    }
    let epoch = schema::epoch(&transaction)?;
    let (offset, trimmed) = ends_of_log(&transaction)?;
    let contents = Contents { connection: &transaction, schema: data.schema };
    let events = contents.readable("SELECT place, record FROM events", decode_event)?;
    contents.readable("SELECT place, record FROM alerts", decode_alert)?;
    contents.readable("SELECT place, record FROM messages", decode_message)?;
    let answer = |record: &[u8]| decode_outcome(record, epoch);
    contents.readable("SELECT seen, answer FROM keys", answer)?;
    contents.are_indexed()?;
    contents.alerts_match_their_columns()?;
    contents.events_match_their_times()?;
    contents.events_match_their_alerts()?;
    if events != offset - trimmed {
        let missing = offset - trimmed - events;
        let reason = format!("{missing} events are missing before offset {offset}");
        return Err(CheckError::NotWhole(reason));
    }
    let older_schema = Some(data.schema).filter(|schema| *schema < schema::known());
    Ok(Checked { head: Position { epoch, offset }, events, older_schema })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExportRange, export, import};
    use northgate_domain::{
        Alert, AlertEvent, Epoch, Event, EventMeta, Location, MessageText, Positioned, RaiseAlert,
        Timestamp,
    };
    use northgate_storage::RecordedOutcome;
    use northgate_storage::codec::{encode_alert, encode_event, encode_outcome};
    use rusqlite::{Connection, params};
    use std::io::BufReader;
    use uuid::Uuid;

    /// Creates a database with schema 1, one alert and its key, as an older program wrote it.
    fn of_the_first_schema(database: &Path) -> Connection {
        let connection = Connection::open(database).unwrap();
        schema::migrate_to(&connection, 1);
        let message = MessageText::parse("fire").unwrap();
        let raise = RaiseAlert::new(message, Location::parse("Gate").unwrap());
        let stamp = EventMeta::new(Uuid::from_u128(1), Timestamp::from_unix_micros(7));
        let alert = Alert::raised(&raise, stamp);
        let event = Event::Alert(AlertEvent::raised(alert.clone()));
        let position = Position { epoch: Epoch::new(5), offset: 1 };
        let record = encode_event(&event).unwrap();
        let event = Positioned { position, value: event };
        let answer =
            encode_outcome(&RecordedOutcome::Appended { event, raised: position }).unwrap();
        let insert =
            |sql, values: &[&dyn rusqlite::ToSql]| connection.execute(sql, values).unwrap();
        insert("INSERT INTO meta VALUES (1, 5)", &[]);
        insert("INSERT INTO events VALUES (1, ?1)", params![record]);
        let row = params![alert.id.0.into_bytes(), encode_alert(&alert).unwrap()];
        insert("INSERT INTO alerts VALUES (1, ?1, 7, 'Gate', ?2)", row);
        insert("INSERT INTO alert_words (rowid, words) VALUES (1, 'fire gate')", &[]);
        let sql = "INSERT INTO keys (scope, value, answer) VALUES ('alerts', 'k', ?1)";
        insert(sql, params![answer]);
        connection
    }

    #[test]
    fn every_released_schema_can_be_checked_and_exported() {
        let folder = tempfile::tempdir().unwrap();
        let connection = of_the_first_schema(&folder.path().join("northgate.db"));
        for schema in 1..=schema::known() {
            schema::migrate_to(&connection, schema);
            let checked = check(folder.path()).unwrap();
            let older = (schema < schema::known()).then_some(schema);
            assert_eq!((checked.events, checked.older_schema), (1, older));
            let lines = tempfile::NamedTempFile::new().unwrap();
            let out = lines.reopen().unwrap();
            let counts = export(folder.path(), ExportRange::default(), out).unwrap();
            assert_eq!((counts.events, counts.alerts, counts.keys), (1, 1, 1));
            let copy = tempfile::tempdir().unwrap();
            import(copy.path(), &mut BufReader::new(lines), Epoch::new(6)).unwrap();
            assert_eq!(check(copy.path()).unwrap().older_schema, None);
        }
    }

    #[test]
    fn a_check_finds_a_wrong_id_column_in_an_older_schema() {
        let folder = tempfile::tempdir().unwrap();
        let connection = of_the_first_schema(&folder.path().join("northgate.db"));
        connection.execute("UPDATE alerts SET id = x'01'", []).unwrap();
        let refused = check(folder.path()).unwrap_err().to_string();
        assert_eq!(
            refused,
            "is not intact: the columns of the alert at offset 1 differ from its record; restore a \
             backup; without one, try to export the data and import it into a new folder"
        );
    }
}
