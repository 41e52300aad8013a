//! Compares the tables, columns and indices of a database with its records.

use super::error::CheckError;
use crate::columns::{self, severity_number, status_number};
use crate::database::{DatabaseError, from_sql};
use crate::schema::COUNT_WRONG_ALERTS_OF_EVENTS;
use northgate_domain::{Alert, AlertCounts, DedupKey, Source, Timestamp};
use northgate_storage::codec::{CodecError, decode_alert, decode_event};
use rusqlite::{Connection, Row};

/// First schema in which a full-text index finds alerts by id. In older schemas the table `alerts`
/// has a column `id`.
const INDEX_OF_IDS: i64 = 3;
/// First schema with columns for the changeable fields of alerts, and with counts of alerts.
const LIFE_OF_ALERTS: i64 = 4;
/// First schema with a column for the time of an event.
const TIMES_OF_EVENTS: i64 = 5;
/// First schema with a column for the alert of an event.
const ALERTS_OF_EVENTS: i64 = 6;

pub(super) struct Contents<'a> {
    pub(super) connection: &'a Connection,
    pub(super) schema: i64,
}

impl Contents<'_> {
    /// Counts the records that `sql` returns. A record that cannot be decoded is an error.
    pub(super) fn readable<T>(
        &self,
        sql: &str,
        mut decode: impl FnMut(&[u8]) -> Result<T, CodecError>,
    ) -> Result<u64, CheckError> {
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let place = from_sql(row.get(0)?);
            let record = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            decode(record).map_err(|error| {
                CheckError::NotWhole(format!("the record in row {place}: {error}"))
            })?;
            count += 1;
        }
        Ok(count)
    }

    /// Checks that the indices contain every alert and message, and none that was removed.
    pub(super) fn are_indexed(&self) -> Result<(), CheckError> {
        self.is_indexed("alerts", "search", "alert_words")?;
        if self.schema >= INDEX_OF_IDS {
            self.is_indexed("alerts", "id", "alert_ids")?;
        }
        self.is_indexed("messages", "search", "message_words")
    }

    fn is_indexed(&self, items: &str, by: &str, index: &str) -> Result<(), CheckError> {
        // FTS5 maintains this table with one row for each document in the index.
        let known = format!("SELECT id FROM {index}_docsize");
        let sql = format!(
            "SELECT (SELECT count(*) FROM {items} WHERE place NOT IN ({known})),
                    (SELECT count(*) FROM ({known}) WHERE id NOT IN (SELECT place FROM {items}))"
        );
        let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        match self.connection.query_row(&sql, [], row)? {
            (0, 0) => Ok(()),
            (without, gone) => Err(CheckError::NotWhole(format!(
                "{without} {items} are missing from the {by} index, and {gone} of its entries \
                 are stale"
            ))),
        }
    }

    /// Checks that the columns of each alert match its record, and that the counts match the
    /// alerts.
    pub(super) fn alerts_match_their_columns(&self) -> Result<(), CheckError> {
        let mut statement = self.connection.prepare("SELECT * FROM alerts")?;
        let mut rows = statement.query([])?;
        let mut alert_counts = AlertCounts::default();
        while let Some(row) = rows.next()? {
            let record = row.get_ref("record")?.as_blob().map_err(rusqlite::Error::from)?;
            let alert = decode_alert(record).map_err(DatabaseError::from)?;
            if !self.matches_columns(row, &alert)? {
                let place = from_sql(row.get("place")?);
                let reason =
                    format!("the columns of the alert at offset {place} differ from its record");
                return Err(CheckError::NotWhole(reason));
            }
            alert_counts.add(&alert);
        }
        if self.schema >= LIFE_OF_ALERTS && alert_counts != columns::alert_counts(self.connection)?
        {
            let reason = "the stored counts of alerts differ from the alerts".to_owned();
            return Err(CheckError::NotWhole(reason));
        }
        Ok(())
    }

    /// Checks that the time column of each event matches its record.
    pub(super) fn events_match_their_times(&self) -> Result<(), CheckError> {
        if self.schema < TIMES_OF_EVENTS {
            return Ok(());
        }
        let mut statement = self.connection.prepare("SELECT place, record, at FROM events")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let record = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            let event = decode_event(record).map_err(DatabaseError::from)?;
            if row.get::<_, Option<i64>>(2)? != Some(event.at().unix_micros()) {
                let place = from_sql(row.get(0)?);
                let reason =
                    format!("the time of the event at offset {place} differs from its record");
                return Err(CheckError::NotWhole(reason));
            }
        }
        Ok(())
    }

    /// Checks that the column `alert` of each event refers to the alert in its record.
    pub(super) fn events_match_their_alerts(&self) -> Result<(), CheckError> {
        if self.schema < ALERTS_OF_EVENTS {
            return Ok(());
        }
        let count = |row: &Row<'_>| row.get::<_, i64>(0);
        match self.connection.query_row(COUNT_WRONG_ALERTS_OF_EVENTS, [], count)? {
            0 => Ok(()),
            wrong => {
                let reason = format!("{wrong} events refer to a wrong alert or to none");
                Err(CheckError::NotWhole(reason))
            }
        }
    }

    fn matches_columns(&self, row: &Row<'_>, alert: &Alert) -> rusqlite::Result<bool> {
        let number = |column| row.get::<_, Option<i64>>(column);
        let text = |column| row.get::<_, Option<String>>(column);
        let raised = number("raised_at")? == Some(alert.raised_at.unix_micros())
            && text("location")?.as_deref() == Some(alert.location.as_str());
        if self.schema < INDEX_OF_IDS {
            return Ok(raised && row.get::<_, Vec<u8>>("id")? == alert.id.0.as_bytes());
        }
        if self.schema < LIFE_OF_ALERTS {
            return Ok(raised);
        }
        Ok(raised
            && number("status")? == Some(status_number(alert.status.kind()))
            && number("severity")? == Some(severity_number(alert.severity))
            && text("source")?.as_deref() == alert.source.as_ref().map(Source::as_str)
            && text("dedup_key")?.as_deref() == alert.dedup_key.as_ref().map(DedupKey::as_str)
            && number("expires_at")? == alert.expires_at.map(Timestamp::unix_micros)
            && number("updated_at")? == Some(alert.updated_at.unix_micros()))
    }
}
