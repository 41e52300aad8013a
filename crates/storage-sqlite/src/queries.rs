//! Questions to the database. Whoever asks more than one of them asks in one transaction.

use crate::columns::{severity_number, tally};
use crate::database::{DatabaseError, from_sql, limit_to_sql, to_sql};
use crate::schema;
use northgate_domain::{Alert, AlertId, DedupKey, Epoch, Event, Position, Severity, Stamped};
use northgate_storage::codec::{CodecError, decode_alert, decode_event};
use northgate_storage::{Deadlines, ReadError, ReadFrom, Summary};
use rusqlite::{Connection, Params, params};

/// An answer, and the head of the log in the state that it is of.
type At<T> = (Position, T);
/// Events, or what is held instead.
type Events = Result<Vec<Stamped<Event>>, ReadError>;

/// The events on one side of a position.
pub(crate) fn read(
    connection: &Connection,
    from: ReadFrom,
    limit: usize,
) -> Result<At<Events>, DatabaseError> {
    let epoch = schema::epoch(connection)?;
    let (head, trimmed) = ends_of_log(connection)?;
    let at = |offset| Position { epoch, offset };
    let (ReadFrom::After(position) | ReadFrom::Before(position)) = from;
    let foreign = position.epoch != epoch || position.offset > head;
    let lost = matches!(from, ReadFrom::After(_)) && position.offset < trimmed;
    if foreign || lost {
        return Ok((at(head), Err(ReadError::Gap { oldest: at(trimmed), latest: at(head) })));
    }
    let values = params![to_sql(position.offset), limit_to_sql(limit)];
    let events = match from {
        ReadFrom::After(_) => {
            let sql = "SELECT place, record FROM events WHERE place > ?1 ORDER BY place LIMIT ?2";
            rows(connection, sql, values, epoch, decode_event)?
        }
        ReadFrom::Before(_) => {
            let sql = "SELECT place, record FROM events WHERE place <= ?1
                       ORDER BY place DESC LIMIT ?2";
            let mut events = rows(connection, sql, values, epoch, decode_event)?;
            events.reverse();
            events
        }
    };
    Ok((at(head), Ok(events)))
}

/// One alert as it stands.
pub(crate) fn alert(
    connection: &Connection,
    id: AlertId,
) -> Result<At<Option<Stamped<Alert>>>, DatabaseError> {
    let head = head(connection)?;
    Ok((head, alert_by_id(connection, head.epoch, id)?))
}

pub(crate) fn alert_by_id(
    connection: &Connection,
    epoch: Epoch,
    id: AlertId,
) -> Result<Option<Stamped<Alert>>, DatabaseError> {
    let sql = "SELECT place, record FROM alerts
               WHERE place IN (SELECT rowid FROM alert_ids WHERE alert_ids MATCH ?1)";
    Ok(rows(connection, sql, params![id_word(id)], epoch, decode_alert)?.pop())
}

/// Of the alerts with this key that are not over, the one that was raised last.
pub(crate) fn alert_by_open_key(
    connection: &Connection,
    epoch: Epoch,
    key: &DedupKey,
) -> Result<Option<Stamped<Alert>>, DatabaseError> {
    let sql = "SELECT place, record FROM alerts INDEXED BY alerts_open_by_key
               WHERE dedup_key = ?1 AND status < 2 ORDER BY place DESC LIMIT 1";
    Ok(rows(connection, sql, params![key.as_str()], epoch, decode_alert)?.pop())
}

/// All alerts in numbers.
pub(crate) fn summary(connection: &Connection) -> Result<Summary, DatabaseError> {
    Ok(Summary { position: head(connection)?, tally: tally(connection)? })
}

/// At most `limit` of the alerts that are to end by themselves, and the head.
pub(crate) fn overdue(
    connection: &Connection,
    deadlines: &Deadlines,
    limit: usize,
) -> Result<At<Vec<Stamped<Alert>>>, DatabaseError> {
    let head = head(connection)?;
    let sql = "SELECT place, record FROM alerts INDEXED BY alerts_open_by_end
               WHERE expires_at <= ?1 AND status < 2 LIMIT ?2";
    let values = params![deadlines.now.unix_micros(), limit_to_sql(limit)];
    let mut found = rows(connection, sql, values, head.epoch, decode_alert)?;
    for severity in Severity::ALL {
        let Some(since) = deadlines.quiet_since(severity) else { continue };
        let sql = "SELECT place, record FROM alerts INDEXED BY alerts_open_by_update
                   WHERE severity = ?1 AND updated_at <= ?2 AND status < 2 LIMIT ?3";
        let values = params![severity_number(severity), since.unix_micros(), limit_to_sql(limit)];
        found.extend(rows(connection, sql, values, head.epoch, decode_alert)?);
    }
    // An alert may be due for both reasons.
    found.sort_unstable_by_key(|alert| alert.position.offset);
    found.dedup_by_key(|alert| alert.position.offset);
    found.truncate(limit);
    Ok((head, found))
}

/// An id as it stands in the index of ids.
pub(crate) fn id_word(AlertId(id): AlertId) -> String {
    id.simple().to_string()
}

/// The place of the newest event.
pub(crate) fn head(connection: &Connection) -> rusqlite::Result<Position> {
    let (offset, _trimmed) = ends_of_log(connection)?;
    Ok(Position { epoch: schema::epoch(connection)?, offset })
}

/// The offsets of the newest event and of the newest one that was trimmed.
pub(crate) fn ends_of_log(connection: &Connection) -> rusqlite::Result<(u64, u64)> {
    // Two questions, since SQLite takes each end from the tree only when it is asked for alone.
    let sql = "SELECT (SELECT max(place) FROM events), (SELECT min(place) FROM events)";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row([], |row| {
        let newest = row.get::<_, Option<i64>>(0)?.map_or(0, from_sql);
        let oldest = row.get::<_, Option<i64>>(1)?.map_or(1, from_sql);
        Ok((newest, oldest.saturating_sub(1)))
    })
}

pub(crate) fn count(connection: &Connection, sql: &str) -> rusqlite::Result<u64> {
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).map(from_sql)
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    epoch: Epoch,
    decode: impl Fn(&[u8]) -> Result<T, CodecError>,
) -> Result<Vec<Stamped<T>>, DatabaseError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let position = Position { epoch, offset: from_sql(row.get(0)?) };
        let record = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        found.push(Stamped { position, value: decode(record)? });
    }
    Ok(found)
}
