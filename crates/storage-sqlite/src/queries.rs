//! Queries to the database. A caller that runs several queries uses one transaction, so that all of
//! them read the same snapshot.

use crate::columns::{alert_counts, severity_number};
use crate::database::{DatabaseError, from_sql, to_sql};
use crate::schema;
use crate::session::Session;
use northgate_domain::{
    Alert, AlertId, Deadlines, DedupKey, Epoch, Event, Position, Positioned, Severity, Summary,
    Timestamp,
};
use northgate_storage::codec::{decode_alert, decode_event};
use northgate_storage::{READ_BYTES, ReadFrom};
use rusqlite::{Connection, OptionalExtension, Params, params};

/// The head of the log and a result, both from the same snapshot of the database.
pub(crate) type At<T> = (Position, T);
/// Result of a read of the log.
pub(crate) enum LogRead {
    Events(Vec<Positioned<Event>>),
    /// Some requested events are no longer retained, or the position does not belong to this log.
    Gap {
        /// Smallest position after which all events can be read.
        oldest: Position,
    },
}

/// Returns the events after or before a position.
pub(crate) fn read(
    session: Session<'_>,
    from: ReadFrom,
    limit: usize,
) -> Result<At<LogRead>, DatabaseError> {
    let epoch = schema::epoch(session.connection)?;
    let (head, trimmed) = ends_of_log(session.connection)?;
    let at = |offset| Position { epoch, offset };
    let (ReadFrom::After(position) | ReadFrom::Before(position)) = from;
    let foreign = position.epoch != epoch || position.offset > head;
    let lost = matches!(from, ReadFrom::After(_)) && position.offset < trimmed;
    if foreign || lost {
        return Ok((at(head), LogRead::Gap { oldest: at(trimmed) }));
    }
    let events = match from {
        ReadFrom::After(_) => {
            let sql = "SELECT place, record FROM events WHERE place > ?1 ORDER BY place";
            events(session, sql, position, limit)?
        }
        ReadFrom::Before(_) => {
            let sql = "SELECT place, record FROM events WHERE place <= ?1 ORDER BY place DESC";
            let mut events = events(session, sql, position, limit)?;
            events.reverse();
            events
        }
    };
    Ok((at(head), LogRead::Events(events)))
}

/// Returns the first events that `sql` selects for `position`, within `limit` and [`READ_BYTES`].
/// Events that cannot be decoded are skipped and do not count for `limit`, so an empty result means
/// that there are no more events.
fn events(
    session: Session<'_>,
    sql: &str,
    position: Position,
    limit: usize,
) -> Result<Vec<Positioned<Event>>, DatabaseError> {
    let mut statement = session.connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![to_sql(position.offset)])?;
    let mut events = Vec::new();
    let mut bytes = 0;
    while events.len() < limit
        && let Some(row) = rows.next()?
    {
        let offset = from_sql(row.get(0)?);
        let record = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let Some(value) = session.readable("events", offset, decode_event(record)) else {
            continue;
        };
        bytes += value.approximate_bytes();
        if bytes > READ_BYTES && !events.is_empty() {
            break;
        }
        events.push(Positioned { position: Position { offset, ..position }, value });
    }
    Ok(events)
}

/// Returns one current alert.
pub(crate) fn alert(
    session: Session<'_>,
    id: AlertId,
) -> Result<At<Option<Positioned<Alert>>>, DatabaseError> {
    let head = head(session.connection)?;
    Ok((head, alert_by_id(session, head.epoch, id)?))
}

/// Returns the oldest retained event of the alert that was raised at this position.
pub(crate) fn oldest_event(
    session: Session<'_>,
    raised: Position,
) -> Result<Option<Positioned<Event>>, DatabaseError> {
    let sql = "SELECT place, record FROM events INDEXED BY events_by_alert
               WHERE alert = ?1 ORDER BY place";
    Ok(events(session, sql, raised, 1)?.pop())
}

pub(crate) fn alert_by_id(
    session: Session<'_>,
    epoch: Epoch,
    id: AlertId,
) -> Result<Option<Positioned<Alert>>, DatabaseError> {
    let sql = "SELECT place, record FROM alerts
               WHERE place IN (SELECT rowid FROM alert_ids WHERE alert_ids MATCH ?1)";
    Ok(alerts(session, sql, params![id_word(id)], epoch, 1)?.pop())
}

/// Returns the unresolved alert with this key that was raised last.
pub(crate) fn alert_by_open_key(
    session: Session<'_>,
    epoch: Epoch,
    key: &DedupKey,
) -> Result<Option<Positioned<Alert>>, DatabaseError> {
    let sql = "SELECT place, record FROM alerts INDEXED BY alerts_open_by_key
               WHERE dedup_key = ?1 AND status < 2 ORDER BY place DESC";
    Ok(alerts(session, sql, params![key.as_str()], epoch, 1)?.pop())
}

/// Returns the counts of alerts by status and severity.
pub(crate) fn summary(session: Session<'_>) -> Result<Summary, DatabaseError> {
    Ok(Summary { position: head(session.connection)?, counts: alert_counts(session.connection)? })
}

/// Returns at most `limit` of the alerts that are due for automatic resolution, and the head.
pub(crate) fn overdue(
    session: Session<'_>,
    deadlines: &Deadlines,
    limit: usize,
) -> Result<At<Vec<Positioned<Alert>>>, DatabaseError> {
    let head = head(session.connection)?;
    // The statements have no LIMIT: alerts that cannot be decoded stay overdue permanently and must
    // not count for `limit`.
    let sql = "SELECT place, record FROM alerts INDEXED BY alerts_open_by_end
               WHERE expires_at <= ?1 AND status < 2";
    let now = deadlines.now.unix_micros();
    let mut found = alerts(session, sql, params![now], head.epoch, limit)?;
    for severity in Severity::ALL {
        let Some(since) = deadlines.quiet_since[severity] else { continue };
        let sql = "SELECT place, record FROM alerts INDEXED BY alerts_open_by_update
                   WHERE severity = ?1 AND updated_at <= ?2 AND status < 2";
        let values = params![severity_number(severity), since.unix_micros()];
        found.extend(alerts(session, sql, values, head.epoch, limit)?);
    }
    // An alert that is due for both reasons was found twice.
    found.sort_unstable_by_key(|alert| alert.position.offset);
    found.dedup_by_key(|alert| alert.position.offset);
    found.truncate(limit);
    Ok((head, found))
}

/// Returns an id as a word of the index `alert_ids`: 32 hexadecimal digits.
pub(crate) fn id_word(AlertId(id): AlertId) -> String {
    id.simple().to_string()
}

/// Returns the position of the newest event.
pub(crate) fn head(connection: &Connection) -> rusqlite::Result<Position> {
    let (offset, _trimmed) = ends_of_log(connection)?;
    Ok(Position { epoch: schema::epoch(connection)?, offset })
}

/// Returns the offsets of the newest event and of the newest trimmed event; 0 if there is none.
pub(crate) fn ends_of_log(connection: &Connection) -> rusqlite::Result<(u64, u64)> {
    // Two subqueries, because SQLite finds `max` and `min` without a scan only in separate queries.
    let sql = "SELECT (SELECT max(place) FROM events), (SELECT min(place) FROM events)";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row([], |row| {
        let newest = row.get::<_, Option<i64>>(0)?.map_or(0, from_sql);
        let oldest = row.get::<_, Option<i64>>(1)?.map_or(1, from_sql);
        Ok((newest, oldest.saturating_sub(1)))
    })
}

/// Returns the time of the newest event.
pub(crate) fn newest_moment(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT at FROM events ORDER BY place DESC LIMIT 1";
    let micros = connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
    Ok(micros.flatten().map(Timestamp::from_unix_micros))
}

/// Reads the newest row of each table, to test whether the database can be read.
pub(crate) fn touch_newest(connection: &Connection) -> rusqlite::Result<()> {
    head(connection)?;
    for table in ["events", "alerts", "messages"] {
        let sql = format!("SELECT record FROM {table} ORDER BY place DESC LIMIT 1");
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        if let Some(row) = rows.next()? {
            row.get_ref(0)?.as_blob()?;
        }
    }
    Ok(())
}

pub(crate) fn count(connection: &Connection, sql: &str) -> rusqlite::Result<u64> {
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).map(from_sql)
}

/// Returns the first `limit` readable alerts that `sql` selects.
fn alerts(
    session: Session<'_>,
    sql: &str,
    values: impl Params,
    epoch: Epoch,
    limit: usize,
) -> Result<Vec<Positioned<Alert>>, DatabaseError> {
    let mut statement = session.connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        let offset = from_sql(row.get(0)?);
        let record = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        if let Some(value) = session.readable("alerts", offset, decode_alert(record)) {
            found.push(Positioned { position: Position { epoch, offset }, value });
        }
    }
    Ok(found)
}
