//! The tables of a database, each compared with what the records say.

use super::error::CheckError;
use crate::columns::{self, severity_number, status_number};
use crate::database::{DatabaseError, from_sql};
use crate::schema::COUNT_WRONG_ALERTS_OF_EVENTS;
use northgate_domain::{Alert, AlertCounts, DedupKey, Source, Timestamp};
use northgate_storage::codec::{CodecError, decode_alert, decode_event};
use rusqlite::{Connection, Row};

/// From this schema on, alerts are found by their ids in an index of words; before, in a column.
const INDEX_OF_IDS: i64 = 3;
/// From this schema on, alerts have columns of what can change, and are counted.
const LIFE_OF_ALERTS: i64 = 4;
/// From this schema on, events have their time in a column.
const TIMES_OF_EVENTS: i64 = 5;
/// The first schema in which events have the alert that they are of.
const ALERTS_OF_EVENTS: i64 = 6;

pub(super) struct Contents<'a> {
    pub(super) connection: &'a Connection,
    pub(super) schema: i64,
}

impl Contents<'_> {
    /// Counts the records of a table, all of which must be readable.
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
            decode(record)
                .map_err(|error| CheckError::NotWhole(format!("the record at {place}: {error}")))?;
            count += 1;
        }
        Ok(count)
    }

    /// Each item is in the indices, and nothing in them is of an item that is gone.
    pub(super) fn are_indexed(&self) -> Result<(), CheckError> {
        self.is_indexed("alerts", "by their words", "alert_words")?;
        if self.schema >= INDEX_OF_IDS {
            self.is_indexed("alerts", "by their ids", "alert_ids")?;
        }
        self.is_indexed("messages", "by their words", "message_words")
    }

    fn is_indexed(&self, items: &str, by: &str, index: &str) -> Result<(), CheckError> {
        // A table that FTS5 keeps: the size of each document that it knows.
        let known = format!("SELECT id FROM {index}_docsize");
        let sql = format!(
            "SELECT (SELECT count(*) FROM {items} WHERE place NOT IN ({known})),
                    (SELECT count(*) FROM ({known}) WHERE id NOT IN (SELECT place FROM {items}))"
        );
        let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        match self.connection.query_row(&sql, [], row)? {
            (0, 0) => Ok(()),
            (without, gone) => Err(CheckError::NotWhole(format!(
                "{without} {items} cannot be found {by}, and {gone} that are gone still can"
            ))),
        }
    }

    /// The columns of each alert have what its record says, and the counts are those of the alerts.
    pub(super) fn alerts_match_their_columns(&self) -> Result<(), CheckError> {
        let mut statement = self.connection.prepare("SELECT * FROM alerts")?;
        let mut rows = statement.query([])?;
        let mut alert_counts = AlertCounts::default();
        while let Some(row) = rows.next()? {
            let record = row.get_ref("record")?.as_blob().map_err(rusqlite::Error::from)?;
            let alert = decode_alert(record).map_err(DatabaseError::from)?;
            if !self.matches_columns(row, &alert)? {
                let place = from_sql(row.get("place")?);
                let reason = format!("the alert at {place} does not stand as its record says");
                return Err(CheckError::NotWhole(reason));
            }
            alert_counts.add(&alert);
        }
        if self.schema >= LIFE_OF_ALERTS && alert_counts != columns::alert_counts(self.connection)?
        {
            let reason = "the counts of alerts are not those of the alerts".to_owned();
            return Err(CheckError::NotWhole(reason));
        }
        Ok(())
    }

    /// The time of each event is that of its record.
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
                let reason = format!("the event at {place} has another time than its record");
                return Err(CheckError::NotWhole(reason));
            }
        }
        Ok(())
    }

    /// The events of one alert are found by it.
    pub(super) fn events_match_their_alerts(&self) -> Result<(), CheckError> {
        if self.schema < ALERTS_OF_EVENTS {
            return Ok(());
        }
        let count = |row: &Row<'_>| row.get::<_, i64>(0);
        match self.connection.query_row(COUNT_WRONG_ALERTS_OF_EVENTS, [], count)? {
            0 => Ok(()),
            wrong => {
                let reason = format!("{wrong} events cannot be found by their alerts");
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
