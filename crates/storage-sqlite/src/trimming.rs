//! What makes room: the oldest of each kind goes when there is more than the store holds.

use crate::database::{DatabaseError, from_sql, to_sql};
use crate::ledger::Ledger;
use northgate_domain::{Alert, Timestamp};
use northgate_storage::codec::{decode_alert, decode_event};
use northgate_storage::{Capacity, IdempotencyKey};
use rusqlite::params;
use std::num::NonZeroUsize;

/// The most rows of one kind that go in one transaction. After the limits were lowered there may
/// be a million to go, and nobody is to wait for that.
const MOST: u64 = 8_192;
/// The most events that go for their age in one transaction.
const MOST_AGED: u64 = 1_024;

/// Of alerts and of messages this part of the capacity more are held before any go.
const LEEWAY: u64 = 256;

/// How many alerts or messages are to go. They go many at a time: an index of words notes what is
/// gone on pages that are spread all over, and these are then written once for all of them.
fn excess(held: u64, capacity: NonZeroUsize) -> u64 {
    let capacity = capacity.get() as u64;
    let excess = held.saturating_sub(capacity);
    if excess > capacity / LEEWAY { excess } else { 0 }
}

impl Ledger {
    /// Removes what is over `capacity`, inside the transaction that went over it.
    pub(crate) fn trim(&mut self, capacity: &Capacity) -> Result<(), DatabaseError> {
        self.trim_events(capacity.events.get() as u64)?;
        let held = self.held;
        self.trim_alerts(excess(held.alerts, capacity.alerts))?;
        self.trim_messages(excess(held.messages, capacity.messages))?;
        self.held.keys -= self.remove(
            "DELETE FROM keys WHERE seen IN (SELECT seen FROM keys ORDER BY seen LIMIT ?1)",
            held.keys.saturating_sub(capacity.keys.get() as u64),
        )?;
        self.remove_forgotten_keys()
    }

    /// Removes so many alerts, or as many as go in one transaction: those that are over first, and
    /// among each the oldest.
    fn trim_alerts(&mut self, excess: u64) -> Result<(), DatabaseError> {
        let excess = excess.min(MOST);
        if excess == 0 {
            return Ok(());
        }
        let mut going =
            self.oldest_alerts("INDEXED BY alerts_by_status WHERE status = 2", excess)?;
        let left = excess.saturating_sub(going.len() as u64);
        going.extend(self.oldest_alerts("WHERE status < 2", left)?);
        for (place, alert) in going {
            for index in ["alert_words", "alert_ids"] {
                let sql = format!("DELETE FROM {index} WHERE rowid = ?1");
                self.execute(&sql, params![place])?;
            }
            self.execute("DELETE FROM alerts WHERE place = ?1", params![place])?;
            self.held.alerts -= 1;
            self.held.tally.remove(&alert);
        }
        Ok(())
    }

    fn oldest_alerts(
        &self,
        condition: &str,
        count: u64,
    ) -> Result<Vec<(i64, Alert)>, DatabaseError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT place, record FROM alerts {condition} ORDER BY place LIMIT ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![to_sql(count)])?;
        let mut oldest = Vec::new();
        while let Some(row) = rows.next()? {
            let record = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            oldest.push((row.get(0)?, decode_alert(record)?));
        }
        Ok(oldest)
    }

    /// Keys stand in the order of their first use, so one look at the oldest tells whether any is
    /// to go: that is all that it costs on most days.
    fn remove_forgotten_keys(&mut self) -> Result<(), DatabaseError> {
        let forgotten = IdempotencyKey::forgotten_since(self.now).unix_micros();
        let sql = "DELETE FROM keys WHERE used_at <= ?1
                       AND seen IN (SELECT seen FROM keys ORDER BY seen LIMIT ?2)";
        if self.has_forgotten_keys()? {
            self.held.keys -= self.execute(sql, params![forgotten, to_sql(MOST)])?;
        }
        Ok(())
    }

    fn has_forgotten_keys(&self) -> Result<bool, DatabaseError> {
        if self.held.keys == 0 {
            return Ok(false);
        }
        let forgotten = IdempotencyKey::forgotten_since(self.now).unix_micros();
        let sql = "SELECT used_at FROM keys ORDER BY seen LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row([], |row| row.get::<_, i64>(0))? <= forgotten)
    }

    /// Whether anything is to go: over `capacity`, from before `horizon`, or a key that is
    /// forgotten.
    pub(crate) fn is_due(
        &self,
        capacity: &Capacity,
        horizon: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let over = |held: u64, most: NonZeroUsize| held > most.get() as u64;
        let held = self.held;
        Ok(over(held.head - held.trimmed, capacity.events)
            || excess(held.alerts, capacity.alerts) > 0
            || excess(held.messages, capacity.messages) > 0
            || over(held.keys, capacity.keys)
            || self.has_forgotten_keys()?
            || self.aged(horizon, 1)? > held.trimmed)
    }

    /// Removes some of the events from before `horizon`.
    pub(crate) fn trim_aged(&mut self, horizon: Timestamp) -> Result<(), DatabaseError> {
        let trimmed = self.aged(horizon, MOST_AGED)?;
        self.trim_to(trimmed)
    }

    /// The offset of the last of the oldest events that are all from before `horizon`, `most` at
    /// the most. One that came in with an older clock behind a younger one waits for that. The
    /// newest event is never among them.
    fn aged(&self, horizon: Timestamp, most: u64) -> Result<u64, DatabaseError> {
        let sql = "SELECT place, record FROM events WHERE place < ?1 ORDER BY place LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![to_sql(self.held.head), to_sql(most)])?;
        let mut aged = self.held.trimmed;
        while let Some(row) = rows.next()? {
            let record = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            if decode_event(record)?.at() >= horizon {
                break;
            }
            aged = from_sql(row.get(0)?);
        }
        Ok(aged)
    }

    /// Offsets are contiguous, so the window is a matter of arithmetic. It is never empty, because
    /// no capacity is: the newest event is how the file knows its head.
    fn trim_events(&mut self, capacity: u64) -> Result<(), DatabaseError> {
        let wanted = self.held.head.saturating_sub(capacity);
        self.trim_to(wanted.min(self.held.trimmed.saturating_add(MOST)))
    }

    fn trim_to(&mut self, trimmed: u64) -> Result<(), DatabaseError> {
        if trimmed > self.held.trimmed {
            self.execute("DELETE FROM events WHERE place <= ?1", params![to_sql(trimmed)])?;
            self.held.trimmed = trimmed;
        }
        Ok(())
    }

    fn trim_messages(&mut self, excess: u64) -> Result<(), DatabaseError> {
        let oldest = "(SELECT place FROM messages ORDER BY place LIMIT ?1)";
        self.remove(&format!("DELETE FROM message_words WHERE rowid IN {oldest}"), excess)?;
        self.held.messages -=
            self.remove(&format!("DELETE FROM messages WHERE place IN {oldest}"), excess)?;
        Ok(())
    }

    fn remove(&self, sql: &str, excess: u64) -> Result<u64, DatabaseError> {
        if excess == 0 { Ok(0) } else { self.execute(sql, params![to_sql(excess.min(MOST))]) }
    }
}
