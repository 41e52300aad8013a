//! Trimming: removes the oldest items of each kind when the store exceeds its bounds.
//!
//! Trimming selects items by their columns and never decodes a record, so a damaged record cannot
//! stop the trimming.

use crate::columns::{severity_of, status_of};
use crate::database::{DatabaseError, from_sql, to_sql};
use crate::room;
use crate::write_connection::WriteConnection;
use northgate_domain::Timestamp;
use northgate_storage::{Capacity, IdempotencyKey};
use rusqlite::params;
use std::num::{NonZeroU64, NonZeroUsize};

/// Upper bounds of the data that a store retains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Number of items of each kind.
    pub(crate) capacity: Capacity,
    /// Bytes of the database and its write-ahead log together.
    pub(crate) bytes: Option<NonZeroU64>,
}

/// Inputs for trimming that the database does not contain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// The length of the write-ahead log in bytes.
    pub(crate) wal: u64,
    /// The offset of the newest event that the fan-out has read.
    pub(crate) sent: u64,
}

/// Upper bound of the recent events that are reserved for clients that resume.
const RECENT: u64 = 1_024;
/// Divisor of the bound on bytes: this fraction of the bound is reserved for recent events.
const RECENT_PART: u64 = 8;
/// Divisor of the bound on bytes: a full store accepts new alerts only after this fraction of the
/// bound is free.
const FULL_PART: u64 = 32;
/// Number of the newest events that are never trimmed to free bytes. The newest event defines the
/// head of the log.
const NEWEST: u64 = 16;
/// Divisor of the bound on bytes: idempotency keys may use this fraction of the bound. Each key
/// contains the answer to its first use.
const KEYS_PART: u64 = 4;
/// Number of the oldest keys, and of the newest keys, that are measured to estimate the average
/// length of a key.
const KEYS_MEASURED: u64 = 64;
/// Age in microseconds (one hour) below which a key is not removed to free bytes, unless keys
/// exceed their fraction. A retry whose key was removed raises a second alert.
const RETRIES_MICROS: i64 = 60 * 60 * 1_000_000;

/// Upper bound of the rows of one kind that one transaction removes. After the capacity was
/// lowered, a million rows may be due for removal, and no append should wait for that.
const MOST: u64 = 8_192;
/// Upper bound of the events that one transaction removes because of their age.
const MOST_AGED: u64 = 1_024;
/// Number of rows that are removed to free bytes before the bytes are counted again.
const ROWS_BETWEEN_COUNTS: u64 = 256;
/// Upper bound on how often one transaction counts the bytes.
const COUNTS: u32 = 8;

/// Divisor of the capacity: alerts or messages are removed only after they exceed the capacity by
/// this fraction.
const LEEWAY: u64 = 256;

/// Returns the number of alerts or messages to remove. Removal happens in batches: a full-text
/// index records removals on many scattered pages, and a batch writes each of these pages once.
fn excess(counters: u64, capacity: NonZeroUsize) -> u64 {
    let capacity = capacity.get() as u64;
    let excess = counters.saturating_sub(capacity);
    if excess > capacity / LEEWAY { excess } else { 0 }
}

/// Condition of the alerts that are removed first.
const RESOLVED: &str = "INDEXED BY alerts_by_status WHERE status = 2";
/// Condition of the alerts that are removed only if no resolved alert is left.
const NOT_RESOLVED: &str = "WHERE status < 2";

impl WriteConnection {
    /// Removes items that exceed `bounds`, and forgotten keys. Runs in the transaction that added
    /// the excess.
    pub(crate) fn trim(&mut self, bounds: &Bounds, usage: Usage) -> Result<(), DatabaseError> {
        let capacity = &bounds.capacity;
        self.trim_events(capacity.events.get() as u64)?;
        let counters = self.counters;
        self.trim_alerts(excess(counters.alerts, capacity.alerts))?;
        self.trim_messages(excess(counters.messages, capacity.messages))?;
        self.trim_keys(counters.keys.saturating_sub(capacity.keys.get() as u64))?;
        self.remove_forgotten_keys()?;
        self.trim_bytes(bounds, usage)
    }

    /// Frees bytes, a few rows at a time, in this order: old events; the oldest idempotency keys
    /// while keys exceed their part of the bound; resolved alerts and messages; all events except
    /// the newest few; old keys. Unresolved alerts and unsent events are never removed here.
    fn trim_bytes(&mut self, bounds: &Bounds, usage: Usage) -> Result<(), DatabaseError> {
        let recent = self.recent_events(bounds);
        for _ in 0..COUNTS {
            if !self.is_over_bytes(bounds, usage)? {
                self.only_open_alerts_left = false;
                return Ok(());
            }
            let before = self.counters;
            self.trim_sent_events(usage, recent)?;
            if self.counters == before && self.keys_are_over_their_part(bounds)? {
                self.trim_keys(ROWS_BETWEEN_COUNTS)?;
            }
            if self.counters == before {
                self.remove_alerts(RESOLVED, ROWS_BETWEEN_COUNTS)?;
                self.trim_messages(self.counters.messages.min(ROWS_BETWEEN_COUNTS))?;
            }
            if self.counters == before {
                self.trim_sent_events(usage, NEWEST)?;
            }
            if self.counters == before {
                self.trim_old_keys()?;
            }
            if self.counters == before {
                // While unsent events are left, the store does not count as full: they can be
                // removed as soon as the fan-out has read them.
                if self.counters.head <= usage.sent.saturating_add(NEWEST) {
                    self.only_open_alerts_left = true;
                }
                return Ok(());
            }
        }
        Ok(())
    }

    /// Returns the number of recent events that are reserved for clients that resume. These events
    /// stay while other items can be removed instead. The number is at most [`RECENT`], and the
    /// events use at most a part of the bound on bytes.
    fn recent_events(&self, bounds: &Bounds) -> u64 {
        let bytes = bounds.bytes.map_or(0, NonZeroU64::get) / RECENT_PART;
        (bytes / self.event_bytes.max(1)).clamp(NEWEST, RECENT)
    }

    /// Removes some of the events that the fan-out has read, but none of the newest `kept` events.
    fn trim_sent_events(&mut self, usage: Usage, kept: u64) -> Result<(), DatabaseError> {
        let last = self.counters.head.saturating_sub(kept).min(usage.sent);
        self.trim_to(last.min(self.counters.trimmed + ROWS_BETWEEN_COUNTS))
    }

    /// Whether idempotency keys use more than their part of the bound. The length is estimated from
    /// some of the oldest and newest keys.
    fn keys_are_over_their_part(&self, bounds: &Bounds) -> Result<bool, DatabaseError> {
        let measured = |order| -> rusqlite::Result<u64> {
            let sql = format!(
                "SELECT coalesce(sum(length(answer)) / count(*), 0)
                     FROM (SELECT answer FROM keys ORDER BY seen {order} LIMIT ?1)"
            );
            let mut statement = self.sqlite.prepare_cached(&sql)?;
            statement.query_row([to_sql(KEYS_MEASURED)], |row| row.get(0)).map(from_sql)
        };
        let usual = u64::midpoint(measured("ASC")?, measured("DESC")?);
        let most = bounds.bytes.map_or(u64::MAX, NonZeroU64::get) / KEYS_PART;
        Ok(self.counters.keys.saturating_mul(usual) > most)
    }

    /// Removes some of the keys that are too old for a retry.
    fn trim_old_keys(&mut self) -> Result<(), DatabaseError> {
        let sql = "DELETE FROM keys WHERE used_at <= ?1
                       AND seen IN (SELECT seen FROM keys ORDER BY seen LIMIT ?2)";
        let old = self.retained_at.unix_micros().saturating_sub(RETRIES_MICROS);
        self.counters.keys -= self.execute(sql, params![old, to_sql(ROWS_BETWEEN_COUNTS)])?;
        Ok(())
    }

    /// Whether the database and its write-ahead log exceed the bound on bytes. Free pages are not
    /// counted, because SQLite reuses them before the file grows.
    fn is_over_bytes(&self, bounds: &Bounds, usage: Usage) -> Result<bool, DatabaseError> {
        let Some(most) = bounds.bytes.map(NonZeroU64::get) else { return Ok(false) };
        // A full store stays full until there is space for more than one alert.
        let most = if self.only_open_alerts_left { most - most / FULL_PART } else { most };
        let pragma = |name| self.sqlite.pragma_query_value(None, name, |row| row.get(0));
        let (pages, free): (i64, i64) = (pragma("page_count")?, pragma("freelist_count")?);
        let page: i64 = pragma("page_size")?;
        // The write-ahead log exceeds its part of the bound only while another process reads.
        // Removing rows would make the log even longer, so the excess is not counted.
        let wal = room::wal_within_its_part(usage.wal, most);
        Ok(from_sql((pages - free).saturating_mul(page)).saturating_add(wal) > most)
    }

    /// Removes `excess` alerts, but at most [`MOST`]: first the oldest resolved alerts, then the
    /// oldest unresolved alerts.
    fn trim_alerts(&mut self, excess: u64) -> Result<(), DatabaseError> {
        let excess = excess.min(MOST);
        if excess == 0 {
            return Ok(());
        }
        let gone = self.remove_alerts(RESOLVED, excess)?;
        self.remove_alerts(NOT_RESOLVED, excess.saturating_sub(gone))?;
        Ok(())
    }

    /// Removes at most `most` of the oldest alerts that match a condition, and returns their
    /// number.
    fn remove_alerts(&mut self, condition: &str, most: u64) -> Result<u64, DatabaseError> {
        if most == 0 {
            return Ok(0);
        }
        let sql = format!(
            "SELECT place, status, severity FROM alerts {condition} ORDER BY place LIMIT ?1"
        );
        let mut statement = self.sqlite.prepare_cached(&sql)?;
        let rows = statement.query_map([to_sql(most)], |row| {
            Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?))
        })?;
        let going = rows.collect::<Result<Vec<_>, _>>()?;
        drop(statement);
        for (place, status, severity) in &going {
            for index in ["alert_words", "alert_ids"] {
                let sql = format!("DELETE FROM {index} WHERE rowid = ?1");
                self.execute(&sql, params![place])?;
            }
            self.execute("DELETE FROM alerts WHERE place = ?1", params![place])?;
            self.counters.alerts -= 1;
            if let Some((status, severity)) = status_of(*status).zip(severity_of(*severity)) {
                self.counters.alert_counts.remove_one(status, severity);
            }
        }
        Ok(going.len() as u64)
    }

    /// Removes the keys that are older than their retention. Keys are in the order of their first
    /// use, so the oldest key shows whether any key is due. Usually none is.
    fn remove_forgotten_keys(&mut self) -> Result<(), DatabaseError> {
        let forgotten = IdempotencyKey::forgotten_since(self.retained_at).unix_micros();
        let sql = "DELETE FROM keys WHERE used_at <= ?1
                       AND seen IN (SELECT seen FROM keys ORDER BY seen LIMIT ?2)";
        if self.has_forgotten_keys()? {
            self.counters.keys -= self.execute(sql, params![forgotten, to_sql(MOST)])?;
        }
        Ok(())
    }

    fn has_forgotten_keys(&self) -> Result<bool, DatabaseError> {
        if self.counters.keys == 0 {
            return Ok(false);
        }
        let forgotten = IdempotencyKey::forgotten_since(self.retained_at).unix_micros();
        let sql = "SELECT used_at FROM keys ORDER BY seen LIMIT 1";
        let mut statement = self.sqlite.prepare_cached(sql)?;
        Ok(statement.query_row([], |row| row.get::<_, i64>(0))? <= forgotten)
    }

    /// Whether any item is due for removal: an item over `bounds`, an event older than `horizon`,
    /// or a forgotten key.
    pub(crate) fn is_due(
        &self,
        bounds: &Bounds,
        usage: Usage,
        horizon: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let capacity = &bounds.capacity;
        let over = |counters: u64, most: NonZeroUsize| counters > most.get() as u64;
        let counters = self.counters;
        Ok(over(counters.head - counters.trimmed, capacity.events)
            || excess(counters.alerts, capacity.alerts) > 0
            || excess(counters.messages, capacity.messages) > 0
            || over(counters.keys, capacity.keys)
            || self.has_forgotten_keys()?
            || self.aged(horizon, 1)? > counters.trimmed
            || (!self.only_open_alerts_left && self.is_over_bytes(bounds, usage)?))
    }

    /// Removes at most [`MOST_AGED`] of the events from before `horizon`.
    pub(crate) fn trim_aged(&mut self, horizon: Timestamp) -> Result<(), DatabaseError> {
        let trimmed = self.aged(horizon, MOST_AGED)?;
        self.trim_to(trimmed)
    }

    /// Returns the offset up to which all retained events are from before `horizon`. Examines at
    /// most `most` events. The scan stops at the first younger event, even if a later event has an
    /// older time. The newest event is never included.
    fn aged(&self, horizon: Timestamp, most: u64) -> Result<u64, DatabaseError> {
        let sql = "SELECT place, at FROM events WHERE place < ?1 ORDER BY place LIMIT ?2";
        let mut statement = self.sqlite.prepare_cached(sql)?;
        let mut rows = statement.query(params![to_sql(self.counters.head), to_sql(most)])?;
        let mut aged = self.counters.trimmed;
        while let Some(row) = rows.next()? {
            // An event without a known time is removed together with the next event.
            if row.get::<_, Option<i64>>(1)?.is_some_and(|at| at >= horizon.unix_micros()) {
                break;
            }
            aged = from_sql(row.get(0)?);
        }
        Ok(aged)
    }

    /// Removes the events that exceed the capacity. Offsets are contiguous, so no count is needed.
    /// The capacity is at least 1, so the newest event, which defines the head, always stays.
    fn trim_events(&mut self, capacity: u64) -> Result<(), DatabaseError> {
        let wanted = self.counters.head.saturating_sub(capacity);
        self.trim_to(wanted.min(self.counters.trimmed.saturating_add(MOST)))
    }

    fn trim_to(&mut self, trimmed: u64) -> Result<(), DatabaseError> {
        if trimmed > self.counters.trimmed {
            self.execute("DELETE FROM events WHERE place <= ?1", params![to_sql(trimmed)])?;
            self.counters.trimmed = trimmed;
        }
        Ok(())
    }

    fn trim_keys(&mut self, excess: u64) -> Result<(), DatabaseError> {
        let sql = "DELETE FROM keys WHERE seen IN (SELECT seen FROM keys ORDER BY seen LIMIT ?1)";
        self.counters.keys -= self.remove(sql, excess)?;
        Ok(())
    }

    fn trim_messages(&mut self, excess: u64) -> Result<(), DatabaseError> {
        let oldest = "(SELECT place FROM messages ORDER BY place LIMIT ?1)";
        self.remove(&format!("DELETE FROM message_words WHERE rowid IN {oldest}"), excess)?;
        self.counters.messages -=
            self.remove(&format!("DELETE FROM messages WHERE place IN {oldest}"), excess)?;
        Ok(())
    }

    fn remove(&self, sql: &str, excess: u64) -> Result<u64, DatabaseError> {
        if excess == 0 { Ok(0) } else { self.execute(sql, params![to_sql(excess.min(MOST))]) }
    }
}
