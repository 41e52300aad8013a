//! Creates the tables by numbered migrations, and checks that a file is a Northgate database.

use crate::OpenError;
use crate::database::connect_to_read;
use crate::folder::{parent_of, unfinished_import};
use northgate_domain::Epoch;
use rusqlite::{Connection, ErrorCode, TransactionBehavior, params};
use std::fs::Metadata;
use std::path::Path;

/// Marks a database as Northgate's: "NGTE".
const APPLICATION_ID: i64 = 0x4E47_5445;

/// SQL expression for the offset at which the alert of an event was raised. The alert is found by
/// the id in the event's record. The result is NULL for chat and for a removed alert. A record
/// without an id searches for `none`, which matches no id: FTS5 does not accept an empty search.
macro_rules! alert_of_event {
    () => {
        "(SELECT alert_ids.rowid
          FROM (SELECT CAST(substr(record, 2) AS TEXT) AS shape), alert_ids
          WHERE json_valid(shape) AND alert_ids MATCH replace(coalesce(
              json_extract(shape, '$.alert.a.id'), json_extract(shape, '$.raised.id'), 'none'),
              '-', ''))"
    };
}

/// The n-th migration leads from schema n − 1 to schema n. The database stores n as `user_version`.
/// A released migration is never edited; a change is a new migration at the end.
const MIGRATIONS: [&str; 6] = [
    // `place` is the offset in the log. The newest event is never trimmed, so `events` always
    // contains the head. Rows of `alerts` and `messages` stay when their events are trimmed. An
    // alert has the offset of the event that raised it. Times are microseconds since 1970. Indexed
    // words come from `SearchText`: letters and digits in normal form, separated by spaces, so the
    // simplest tokenizer is enough.
    "CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL) STRICT;
     CREATE TABLE events (place INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT;
     CREATE TABLE alerts
         (place INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, raised_at INTEGER NOT NULL,
          location TEXT NOT NULL, record BLOB NOT NULL) STRICT;
     CREATE INDEX alerts_by_time ON alerts (raised_at);
     CREATE INDEX alerts_by_location ON alerts (location);
     CREATE VIRTUAL TABLE alert_words USING fts5
         (words, content = '', contentless_delete = 1, detail = none, prefix = '1 2 3',
          tokenize = 'ascii');
     CREATE TABLE messages
         (place INTEGER PRIMARY KEY, sent_at INTEGER NOT NULL, record BLOB NOT NULL) STRICT;
     CREATE INDEX messages_by_time ON messages (sent_at);
     CREATE VIRTUAL TABLE message_words USING fts5
         (words, content = '', contentless_delete = 1, detail = none, prefix = '1 2 3',
          tokenize = 'ascii');
     CREATE TABLE keys
         (seen INTEGER PRIMARY KEY, scope TEXT NOT NULL, value TEXT NOT NULL, fingerprint BLOB,
          answer BLOB NOT NULL, UNIQUE (scope, value)) STRICT;",
    // Time of the first use of a key, in microseconds since 1970. The time is unknown for existing
    // keys, so they get the time of the migration and are remembered for one more day.
    "ALTER TABLE keys ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
     UPDATE keys SET used_at = unixepoch() * 1000000;",
    // Ids are random, so each new id changes a different page of a B-tree. These pages were most of
    // the data that a commit wrote. A full-text index instead collects new entries and merges them
    // in order. The index `alert_ids` contains each id as one word of 32 digits.
    "DROP INDEX alerts_by_time;
     DROP INDEX alerts_by_location;
     ALTER TABLE alerts RENAME TO alerts_before;
     CREATE TABLE alerts
         (place INTEGER PRIMARY KEY, raised_at INTEGER NOT NULL, location TEXT NOT NULL,
          record BLOB NOT NULL) STRICT;
     INSERT INTO alerts SELECT place, raised_at, location, record FROM alerts_before;
     CREATE INDEX alerts_by_time ON alerts (raised_at);
     CREATE INDEX alerts_by_location ON alerts (location);
     CREATE VIRTUAL TABLE alert_ids USING fts5
         (id, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');
     INSERT INTO alert_ids (rowid, id) SELECT place, lower(hex(id)) FROM alerts_before;
     DROP TABLE alerts_before;",
    // Alerts can change. Statuses and severities are numbers from 0 on, in the order of their enum;
    // existing alerts become open warnings. Queries for unresolved alerts use partial indices that
    // contain only unresolved alerts. The full-text index contains one word for each label of an
    // alert. Such a word begins with U+E000, a character that no word of a text contains. `tally`
    // has a row for each combination of status and severity that any alert has ever had.
    "ALTER TABLE alerts ADD COLUMN status INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE alerts ADD COLUMN severity INTEGER NOT NULL DEFAULT 1;
     ALTER TABLE alerts ADD COLUMN source TEXT;
     ALTER TABLE alerts ADD COLUMN dedup_key TEXT;
     ALTER TABLE alerts ADD COLUMN expires_at INTEGER;
     ALTER TABLE alerts ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
     UPDATE alerts SET
         source = json_extract(CAST(substr(record, 2) AS TEXT), '$.s'), updated_at = raised_at;
     CREATE INDEX alerts_by_status ON alerts (status);
     CREATE INDEX alerts_by_severity ON alerts (severity);
     CREATE INDEX alerts_by_source ON alerts (source) WHERE source IS NOT NULL;
     CREATE INDEX alerts_open_by_key ON alerts (dedup_key)
         WHERE dedup_key IS NOT NULL AND status < 2;
     CREATE INDEX alerts_open_by_end ON alerts (expires_at)
         WHERE expires_at IS NOT NULL AND status < 2;
     CREATE INDEX alerts_open_by_update ON alerts (severity, updated_at) WHERE status < 2;
     CREATE TABLE tally
         (status INTEGER, severity INTEGER, alerts INTEGER NOT NULL,
          PRIMARY KEY (status, severity)) STRICT, WITHOUT ROWID;
     INSERT INTO tally SELECT status, severity, count(*) FROM alerts GROUP BY status, severity;
     ALTER TABLE messages ADD COLUMN alert_id BLOB;
     CREATE INDEX messages_by_alert_id ON messages (alert_id) WHERE alert_id IS NOT NULL;",
    // Time of an event in microseconds since 1970. With this column, retention by age decodes no
    // records. NULL if the record cannot be decoded; such an event is trimmed together with the
    // next one.
    "ALTER TABLE events ADD COLUMN at INTEGER;
     UPDATE events SET at = (
         SELECT coalesce(
             json_extract(shape, '$.alert.a.up'), json_extract(shape, '$.alert.a.t'),
             json_extract(shape, '$.raised.t'), json_extract(shape, '$.said.t'))
         FROM (SELECT CAST(substr(record, 2) AS TEXT) AS shape) WHERE json_valid(shape));",
    // The column `alert` contains the offset at which the alert of an event was raised. An index on
    // it finds the events of one alert. NULL for chat, and if the record cannot be decoded or the
    // alert was removed.
    concat!(
        "ALTER TABLE events ADD COLUMN alert INTEGER;",
        "UPDATE events SET alert = ",
        alert_of_event!(),
        ";",
        "CREATE INDEX events_by_alert ON events (alert) WHERE alert IS NOT NULL;"
    ),
];

/// Computes the column `alert` of all events.
pub(crate) const FIND_ALERTS_OF_EVENTS: &str =
    concat!("UPDATE events SET alert = ", alert_of_event!());
/// Counts the events whose column `alert` differs from the alert in their record.
pub(crate) const COUNT_WRONG_ALERTS_OF_EVENTS: &str = concat!(
    "SELECT count(*) FROM (SELECT alert, ",
    alert_of_event!(),
    " AS found FROM events) WHERE found IS NOT NULL AND alert IS NOT found"
);

/// Returns the newest schema that this program knows.
pub(crate) fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Refuses a file that this program cannot use as its database. Uses a read-only connection. If the
/// file is missing or empty, refuses the folder of an unfinished import.
pub(crate) fn recognise(file: &Path) -> Result<(), OpenError> {
    // A server that was killed before its first write leaves an empty file.
    let is_empty = |found: Metadata| found.is_file() && found.len() == 0;
    if file.metadata().map_or(true, is_empty) {
        return no_unfinished_import(file);
    }
    let identity = connect_to_read(file).and_then(|connection| identify(&connection));
    accepted(file, &identity.map_err(|error| refused(file, error))?).map(|_schema| ())
}

/// The properties that identify a Northgate database.
pub(crate) struct FileIdentity {
    application_id: i64,
    schema: i64,
    tables: i64,
}

pub(crate) fn identify(connection: &Connection) -> rusqlite::Result<FileIdentity> {
    let tables = "SELECT count(*) FROM sqlite_schema";
    Ok(FileIdentity {
        tables: connection.query_row(tables, [], |row| row.get(0))?,
        application_id: application_id(connection)?,
        schema: version(connection)?,
    })
}

/// Returns the schema of a database that this program can use, or 0 if the database has no tables
/// yet. Any other database is an error.
pub(crate) fn accepted(file: &Path, identity: &FileIdentity) -> Result<i64, OpenError> {
    match *identity {
        // The server was killed before its first transaction.
        FileIdentity { application_id: 0, schema: 0, tables: 0 } => Ok(0),
        FileIdentity { application_id: APPLICATION_ID, schema, .. } if schema <= known() => {
            Ok(schema)
        }
        FileIdentity { application_id: APPLICATION_ID, schema: found, .. } => {
            Err(OpenError::Newer { file: file.to_owned(), found, known: known() })
        }
        FileIdentity { .. } => Err(OpenError::NotOurs { file: file.to_owned() }),
    }
}

/// Converts an error that occurred while the identity of a file was read.
pub(crate) fn refused(file: &Path, source: rusqlite::Error) -> OpenError {
    let file = file.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotOurs { file },
        _ => OpenError::Database { file, source },
    }
}

/// Refuses a folder without a database if it contains the file of an unfinished import. A server
/// that started empty in this folder would block the next import.
pub(crate) fn no_unfinished_import(database: &Path) -> Result<(), OpenError> {
    let file = unfinished_import(database);
    if file.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(OpenError::UnfinishedImport { folder: parent_of(database).to_owned(), file })
}

/// Migrates the database to the newest schema in one transaction. No other connection can write
/// during the migration.
pub(crate) fn migrate(connection: &mut Connection, epoch_if_new: Epoch) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    let done = usize::try_from(found).unwrap_or(MIGRATIONS.len());
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    if done == 0 {
        let epoch = epoch_if_new.get().cast_signed();
        transaction.execute("INSERT INTO meta (one, epoch) VALUES (1, ?1)", params![epoch])?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    if found != known() {
        transaction.pragma_update(None, "user_version", known())?;
    }
    transaction.commit()
}

/// Returns the epoch of the log.
pub(crate) fn epoch(connection: &Connection) -> rusqlite::Result<Epoch> {
    let epoch = "SELECT epoch FROM meta";
    let epoch: i64 = connection.prepare_cached(epoch)?.query_row([], |row| row.get(0))?;
    Ok(Epoch::new(epoch.cast_unsigned()))
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn application_id(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "application_id", |row| row.get(0))
}

/// Migrates the database only up to `schema`, as an older program did.
#[cfg(test)]
pub(crate) fn migrate_to(connection: &Connection, schema: i64) {
    let found = version(connection).unwrap();
    for migration in &MIGRATIONS[usize::try_from(found).unwrap()..usize::try_from(schema).unwrap()]
    {
        connection.execute_batch(migration).unwrap();
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    connection.pragma_update(None, "user_version", schema).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queries::alert_by_id;
    use crate::session::{Session, Unreadable};
    use northgate_domain::{
        Alert, AlertId, EventMeta, Location, MessageText, RaiseAlert, Timestamp,
    };
    use northgate_storage::codec::encode_alert;
    use uuid::Uuid;

    fn alert(id: u128) -> Alert {
        let message = MessageText::parse("fire").unwrap();
        let raise = RaiseAlert::new(message, Location::parse("Gate").unwrap());
        let at = Timestamp::from_unix_micros(7);
        Alert::raised(&raise, EventMeta::new(Uuid::from_u128(id), at))
    }

    /// Returns a database with schema 1, three alerts and one key, as an older program wrote it.
    fn of_the_first_schema() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        migrate_to(&connection, 1);
        for place in 1..=3 {
            let alert = alert(0xABC << 100 | place);
            let row = "INSERT INTO alerts VALUES (?1, ?2, 7, 'Gate', ?3)";
            let id = alert.id.0.into_bytes();
            let place = i64::try_from(place).unwrap();
            connection.execute(row, params![place, id, encode_alert(&alert).unwrap()]).unwrap();
        }
        let rows = "INSERT INTO meta (one, epoch) VALUES (1, 5);
                    INSERT INTO keys (scope, value, answer) VALUES ('alerts', 'k', x'01');";
        connection.execute_batch(rows).unwrap();
        connection
    }

    #[test]
    fn a_migration_from_the_first_schema_preserves_data_and_keys() {
        let mut connection = of_the_first_schema();
        migrate(&mut connection, Epoch::new(9)).unwrap();
        assert_eq!(version(&connection).unwrap(), known());
        assert_eq!(epoch(&connection).unwrap(), Epoch::new(5));
        let age = "SELECT unixepoch() - used_at / 1000000 FROM keys WHERE value = 'k'";
        let age: i64 = connection.query_row(age, [], |row| row.get(0)).unwrap();
        assert!((0..600).contains(&age), "{age} s old");
        for place in 1..=3 {
            let alert = alert(0xABC << 100 | u128::from(place));
            let session = Session { connection: &connection, unreadable: &Unreadable::default() };
            let found = alert_by_id(session, Epoch::new(5), alert.id).unwrap().unwrap();
            assert_eq!((found.position.offset, found.value), (place, alert));
        }
        let unknown = AlertId(Uuid::from_u128(0xABC << 100));
        let session = Session { connection: &connection, unreadable: &Unreadable::default() };
        assert!(alert_by_id(session, Epoch::new(5), unknown).unwrap().is_none());
        // A second migration changes nothing.
        migrate(&mut connection, Epoch::new(9)).unwrap();
        assert_eq!(version(&connection).unwrap(), known());
    }
}
