//! Looking through what outlives the window of events: alerts and messages by range, time, place
//! and words. Each question takes the index that leaves the least to look at.

use crate::database::{DatabaseError, from_sql, limit_to_sql, to_sql};
use crate::queries::head;
use northgate_domain::{Alert, ChatMessage, Location, Position, Search, Stamped, Timestamp};
use northgate_storage::codec::{CodecError, decode_alert, decode_message};
use northgate_storage::{AlertQuery, HistoryRange, MessageQuery, QueryError, Snapshot};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};
use std::ops::RangeInclusive;

/// So many items within two moments are gathered and put in order; more are rather met on a walk
/// along the log.
const FEW: usize = 4_096;

type Answer<T> = Result<Snapshot<Stamped<T>>, QueryError>;

/// The alerts that match, as they stand.
pub(crate) fn alerts(
    connection: &Connection,
    query: &AlertQuery,
) -> Result<Answer<Alert>, DatabaseError> {
    let AlertQuery { range, search, locations } = query;
    Look { connection, table: ALERTS, range, search, locations }.through()
}

/// The chat messages that match.
pub(crate) fn messages(
    connection: &Connection,
    query: &MessageQuery,
) -> Result<Answer<ChatMessage>, DatabaseError> {
    let MessageQuery { range, search } = query;
    Look { connection, table: MESSAGES, range, search, locations: &[] }.through()
}

/// Names in the schema, and what a record is of.
struct Table<T> {
    items: &'static str,
    words: &'static str,
    /// The column that says when an item began.
    began: &'static str,
    decode: fn(&[u8]) -> Result<T, CodecError>,
}

const ALERTS: Table<Alert> =
    Table { items: "alerts", words: "alert_words", began: "raised_at", decode: decode_alert };
const MESSAGES: Table<ChatMessage> =
    Table { items: "messages", words: "message_words", began: "sent_at", decode: decode_message };

/// Where an item stands, and its record.
type Row = (u64, Vec<u8>);

/// What leads to the items.
#[derive(Clone, Copy)]
enum Lead<'a> {
    /// The index of words: a search that finds little has little to look at.
    Words,
    /// The index of locations, in which those of one location stand in their order.
    Location(&'a Location),
    /// The index of times, if there are few items between two moments.
    Time,
    /// The table, in its order.
    Log,
}

struct Look<'a, T> {
    connection: &'a Connection,
    table: Table<T>,
    range: &'a HistoryRange,
    search: &'a Search,
    locations: &'a [Location],
}

impl<T> Look<'_, T> {
    fn through(&self) -> Result<Answer<T>, DatabaseError> {
        let head = head(self.connection)?;
        let walk = match self.range.walk(head) {
            Ok(walk) => walk,
            Err(error) => return Ok(Err(error)),
        };
        let found = self.take(&walk.offsets, walk.upwards, walk.wanted())?;
        let beyond = self.take(&walk.beyond, false, 1)?;
        let mut items = Vec::with_capacity(found.len());
        for (offset, record) in found {
            let position = Position { epoch: head.epoch, offset };
            items.push(Stamped { position, value: (self.table.decode)(&record)? });
        }
        Ok(Ok(walk.end(items, !beyond.is_empty())))
    }

    /// The first `wanted` of the items at `offsets` that match.
    fn take(
        &self,
        offsets: &RangeInclusive<u64>,
        upwards: bool,
        wanted: usize,
    ) -> Result<Vec<Row>, DatabaseError> {
        if offsets.is_empty() {
            return Ok(Vec::new());
        }
        let take = |lead| self.take_led(lead, offsets, upwards, wanted);
        if !self.search.is_empty() {
            return take(Lead::Words);
        }
        if self.locations.is_empty() {
            return take(if self.is_between_few()? { Lead::Time } else { Lead::Log });
        }
        let mut rows = Vec::new();
        for location in self.locations {
            rows.extend(take(Lead::Location(location))?);
        }
        rows.sort_unstable_by_key(|(place, _)| *place);
        // A location may have been named twice.
        rows.dedup_by_key(|(place, _)| *place);
        if !upwards {
            rows.reverse();
        }
        rows.truncate(wanted);
        Ok(rows)
    }

    fn take_led(
        &self,
        lead: Lead<'_>,
        offsets: &RangeInclusive<u64>,
        upwards: bool,
        wanted: usize,
    ) -> Result<Vec<Row>, DatabaseError> {
        let (since, until) = self.moments();
        let mut values = vec![
            Value::from(to_sql(*offsets.start())),
            Value::from(to_sql(*offsets.end())),
            Value::from(since),
            Value::from(until),
            Value::from(limit_to_sql(wanted)),
        ];
        let Table { items, words, began, .. } = self.table;
        let from = match lead {
            Lead::Words => {
                values.push(Value::from(expression(self.search)));
                let locations = self.one_of_locations(&mut values);
                format!(
                    "{words} CROSS JOIN {items} ON place = {words}.rowid
                     WHERE {words} MATCH ?6 {locations} AND {words}.rowid"
                )
            }
            Lead::Location(location) => {
                values.push(Value::from(location.as_str().to_owned()));
                format!("{items} INDEXED BY {items}_by_location WHERE location = ?6 AND place")
            }
            Lead::Time => format!("{items} INDEXED BY {items}_by_time WHERE place"),
            Lead::Log => format!("{items} NOT INDEXED WHERE place"),
        };
        let order = if upwards { "ASC" } else { "DESC" };
        let sql = format!(
            "SELECT place, record FROM {from} BETWEEN ?1 AND ?2
             AND {began} >= ?3 AND {began} < ?4 ORDER BY {} {order} LIMIT ?5",
            if let Lead::Words = lead { format!("{words}.rowid") } else { "place".to_owned() },
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement
            .query_map(params_from_iter(values), |row| Ok((from_sql(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A condition on the locations, if there are any, whose values go behind those there are.
    fn one_of_locations(&self, values: &mut Vec<Value>) -> String {
        if self.locations.is_empty() {
            return String::new();
        }
        let mut places = Vec::new();
        for location in self.locations {
            values.push(Value::from(location.as_str().to_owned()));
            places.push(format!("?{}", values.len()));
        }
        format!("AND location IN ({})", places.join(", "))
    }

    fn is_between_few(&self) -> Result<bool, DatabaseError> {
        if self.range.since.is_none() && self.range.until.is_none() {
            return Ok(false);
        }
        let Table { items, began, .. } = self.table;
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM {items} INDEXED BY {items}_by_time
                 WHERE {began} >= ?1 AND {began} < ?2 LIMIT ?3)"
        );
        let (since, until) = self.moments();
        let mut statement = self.connection.prepare_cached(&sql)?;
        let values = params![since, until, limit_to_sql(FEW + 1)];
        let between = statement.query_row(values, |row| row.get(0)).map(from_sql)?;
        Ok(between <= FEW as u64)
    }

    /// The first moment that counts, and the first one after it that does not, in microseconds.
    fn moments(&self) -> (i64, i64) {
        let since = self.range.since.map_or(i64::MIN, Timestamp::unix_micros);
        (since, self.range.until.map_or(i64::MAX, Timestamp::unix_micros))
    }
}

/// The search as FTS5 reads it. Between the quotes there are letters and digits only.
fn expression(search: &Search) -> String {
    let prefixes: Vec<_> = search.prefixes().map(|prefix| format!("\"{prefix}\"*")).collect();
    prefixes.join(" AND ")
}
