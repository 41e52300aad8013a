//! What makes room: the oldest of each kind goes when there is more than the store may hold.
//!
//! Columns decide what goes, never records: one that cannot be read must not stop the others.

use crate::columns::{severity_of, status_of};
use crate::database::{DatabaseError, from_sql, to_sql};
use crate::room;
use crate::write_connection::WriteConnection;
use northgate_domain::Timestamp;
use northgate_storage::{Capacity, IdempotencyKey};
use rusqlite::params;
use std::num::{NonZeroU64, NonZeroUsize};

/// How much a store may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Items of each kind.
    pub(crate) capacity: Capacity,
    /// Bytes of the database and its write-ahead log together.
    pub(crate) bytes: Option<NonZeroU64>,
}

/// What the bounds are compared with, beside what the database knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// The length of the write-ahead log in bytes.
    pub(crate) wal: u64,
    /// The offset of the newest event that the fan-out has read.
    pub(crate) sent: u64,
}

/// The most events that stay for clients that come back,
const RECENT: u64 = 1_024;
/// and the part of the bound on bytes that they may take.
const RECENT_PART: u64 = 8;
/// The part of the bound that must be free before a store that was full takes new alerts.
const FULL_PART: u64 = 32;
/// So many events stay whatever happens: the newest one is how the file knows its head.
const NEWEST: u64 = 16;
/// The part of the bound that idempotency keys may take: each holds the answer to its first use.
const KEYS_PART: u64 = 4;
/// So many of the oldest and of the newest keys tell how long they all are.
const KEYS_MEASURED: u64 = 64;
/// How long a key within that part stays whatever happens, in microseconds: an hour. A retry under
/// a key that is forgotten raises a second alert.
const RETRIES_MICROS: i64 = 60 * 60 * 1_000_000;

/// The most rows of one kind that go in one transaction. After the limits were lowered there may
/// be a million to go, and nobody is to wait for that.
const MOST: u64 = 8_192;
/// The most events that go for their age in one transaction.
const MOST_AGED: u64 = 1_024;
/// How many rows go at once when bytes are to be freed, before they are counted again.
const ROWS_BETWEEN_COUNTS: u64 = 256;
/// How often they are counted in one transaction.
const COUNTS: u32 = 8;

/// Of alerts and of messages this part of the capacity more are held before any go.
const LEEWAY: u64 = 256;

/// How many alerts or messages are to go. They go many at a time: an index of words notes what is
/// gone on pages that are spread all over, and these are then written once for all of them.
fn excess(counters: u64, capacity: NonZeroUsize) -> u64 {
    let capacity = capacity.get() as u64;
    let excess = counters.saturating_sub(capacity);
    if excess > capacity / LEEWAY { excess } else { 0 }
}

/// Which alerts go first.
const RESOLVED: &str = "INDEXED BY alerts_by_status WHERE status = 2";
/// Which alerts go when no other one is left.
const NOT_RESOLVED: &str = "WHERE status < 2";

impl WriteConnection {
    /// Removes what is over `bounds`, inside the transaction that went over them.
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

    /// Frees bytes, a few rows at a time: old events, then the oldest idempotency keys of those that
    /// take more than their part, then resolved alerts and messages, then events down to the newest
    /// few, then old keys. Alerts that are not resolved stay, whatever happens, and so do events
    /// that were not sent yet.
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
                // What is still to be sent can go a moment later: that is no reason to be full.
                if self.counters.head <= usage.sent.saturating_add(NEWEST) {
                    self.only_open_alerts_left = true;
                }
                return Ok(());
            }
        }
        Ok(())
    }

    /// How many events stay for clients that come back, as long as anything else can make room: a
    /// part of the bound, and not more than a client is likely to have missed.
    fn recent_events(&self, bounds: &Bounds) -> u64 {
        let bytes = bounds.bytes.map_or(0, NonZeroU64::get) / RECENT_PART;
        (bytes / self.event_bytes.max(1)).clamp(NEWEST, RECENT)
    }

    /// Removes some of the events that everybody was sent, all but the newest `kept`.
    fn trim_sent_events(&mut self, usage: Usage, kept: u64) -> Result<(), DatabaseError> {
        let last = self.counters.head.saturating_sub(kept).min(usage.sent);
        self.trim_to(last.min(self.counters.trimmed + ROWS_BETWEEN_COUNTS))
    }

    /// Whether idempotency keys take more than their part of the bound. The newest ones are likely
    /// to be as long as the oldest, so not all are measured.
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

    /// Removes some of the keys that nobody will use for a retry any more.
    fn trim_old_keys(&mut self) -> Result<(), DatabaseError> {
        let sql = "DELETE FROM keys WHERE used_at <= ?1
                       AND seen IN (SELECT seen FROM keys ORDER BY seen LIMIT ?2)";
        let old = self.retained_at.unix_micros().saturating_sub(RETRIES_MICROS);
        self.counters.keys -= self.execute(sql, params![old, to_sql(ROWS_BETWEEN_COUNTS)])?;
        Ok(())
    }

    /// Whether the database and its write-ahead log hold more bytes than they may. Pages that are
    /// free are not counted: they are used again before the file grows.
    fn is_over_bytes(&self, bounds: &Bounds, usage: Usage) -> Result<bool, DatabaseError> {
        let Some(most) = bounds.bytes.map(NonZeroU64::get) else { return Ok(false) };
        // A store that is full is full until there is room for more than one alert.
        let most = if self.only_open_alerts_left { most - most / FULL_PART } else { most };
        let pragma = |name| self.sqlite.pragma_query_value(None, name, |row| row.get(0));
        let (pages, free): (i64, i64) = (pragma("page_count")?, pragma("freelist_count")?);
        let page: i64 = pragma("page_size")?;
        // A log that is longer than its part is so while another process reads. To remove rows would
        // only make it longer.
        let wal = room::wal_within_its_part(usage.wal, most);
        Ok(from_sql((pages - free).saturating_mul(page)).saturating_add(wal) > most)
    }

    /// Removes so many alerts, or as many as go in one transaction: resolved ones first, and among
    /// each the oldest.
    fn trim_alerts(&mut self, excess: u64) -> Result<(), DatabaseError> {
        let excess = excess.min(MOST);
        if excess == 0 {
            return Ok(());
        }
        let gone = self.remove_alerts(RESOLVED, excess)?;
        self.remove_alerts(NOT_RESOLVED, excess.saturating_sub(gone))?;
        Ok(())
    }

    /// Removes the oldest alerts that meet a condition, and says how many there were.
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

    /// Keys stand in the order of their first use, so one look at the oldest tells whether any is
    /// to go: that is all that it costs on most days.
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

    /// Whether anything is to go: over `bounds`, from before `horizon`, or a key that is
    /// forgotten.
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

    /// Removes some of the events from before `horizon`.
    pub(crate) fn trim_aged(&mut self, horizon: Timestamp) -> Result<(), DatabaseError> {
        let trimmed = self.aged(horizon, MOST_AGED)?;
        self.trim_to(trimmed)
    }

    /// The offset of the last of the oldest events that are all from before `horizon`, `most` at
    /// the most. One that came in with an older clock behind a younger one waits for that. The
    /// newest event is never among them.
    fn aged(&self, horizon: Timestamp, most: u64) -> Result<u64, DatabaseError> {
        let sql = "SELECT place, at FROM events WHERE place < ?1 ORDER BY place LIMIT ?2";
        let mut statement = self.sqlite.prepare_cached(sql)?;
        let mut rows = statement.query(params![to_sql(self.counters.head), to_sql(most)])?;
        let mut aged = self.counters.trimmed;
        while let Some(row) = rows.next()? {
            // An event whose time nobody knows goes together with the next one.
            if row.get::<_, Option<i64>>(1)?.is_some_and(|at| at >= horizon.unix_micros()) {
                break;
            }
            aged = from_sql(row.get(0)?);
        }
        Ok(aged)
    }

    /// Offsets are contiguous, so the window is a matter of arithmetic. It is never empty, because
    /// no capacity is: the newest event is how the file knows its head.
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
