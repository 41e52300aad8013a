//! Looking through what outlives the window of events: alerts and messages by range, time, words,
//! and what they are. Each question takes the index that leaves the least to look at.

use crate::columns::{label_word, severity_number, status_number};
use crate::database::{DatabaseError, from_sql, limit_to_sql, to_sql};
use crate::queries::head;
use northgate_domain::{Alert, AlertId, ChatMessage, Position, Search, Stamped, Timestamp};
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
    let text = |text: &str| Value::from(text.to_owned());
    let mut columns = vec![
        Column::new("source", query.sources.iter().map(|source| text(source.as_str()))),
        Column::new("location", query.locations.iter().map(|place| text(place.as_str()))),
        Column::new("status", query.statuses.iter().map(|s| Value::from(status_number(*s)))),
        Column::new("severity", query.severities.iter().map(|s| Value::from(severity_number(*s)))),
    ];
    columns.retain(|column| !column.values.is_empty());
    let mut words = words_of(&query.search);
    for choices in query.label_choices().values() {
        let choices = choices.iter().map(|label| format!("\"{}\"", label_word(label)));
        words.push(format!("({})", choices.collect::<Vec<_>>().join(" OR ")));
    }
    Look { connection, table: ALERTS, range: &query.range, words, columns }.through()
}

/// The chat messages that match.
pub(crate) fn messages(
    connection: &Connection,
    query: &MessageQuery,
) -> Result<Answer<ChatMessage>, DatabaseError> {
    let alert = query.alert_id.map(|AlertId(id)| Value::from(id.into_bytes().to_vec()));
    let columns = alert.map(|alert| Column::new("alert_id", [alert])).into_iter().collect();
    let words = words_of(&query.search);
    Look { connection, table: MESSAGES, range: &query.range, words, columns }.through()
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

/// A column with an index of its own, in which the items of one value stand in their order; and the
/// values that are wanted, each once.
struct Column {
    name: &'static str,
    values: Vec<Value>,
}

impl Column {
    fn new(name: &'static str, wanted: impl IntoIterator<Item = Value>) -> Self {
        let mut values = Vec::new();
        for value in wanted {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        Self { name, values }
    }
}

/// Where an item stands, and its record.
type Row = (u64, Vec<u8>);

/// What leads to the items.
#[derive(Clone, Copy)]
enum Lead<'a> {
    /// The index of words: a search that finds little has little to look at.
    Words,
    /// The index of a column, at one of its values.
    Column(&'a Column, &'a Value),
    /// The index of times, if there are few items between two moments.
    Time,
    /// The table, in its order.
    Log,
}

struct Look<'a, T> {
    connection: &'a Connection,
    table: Table<T>,
    range: &'a HistoryRange,
    /// Conditions on the words, as FTS5 reads them.
    words: Vec<String>,
    /// Conditions on columns; the first one leaves the least to look at, as a rule.
    columns: Vec<Column>,
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
        if !self.words.is_empty() {
            return take(Lead::Words);
        }
        let Some(column) = self.columns.first() else {
            return take(if self.is_between_few()? { Lead::Time } else { Lead::Log });
        };
        // An item has one value, so none comes twice.
        let mut rows = Vec::new();
        for value in &column.values {
            rows.extend(take(Lead::Column(column, value))?);
        }
        rows.sort_unstable_by_key(|(place, _)| *place);
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
        let mut bound = |value: &Value| {
            values.push(value.clone());
            format!("?{}", values.len())
        };
        let Table { items, words, began, .. } = self.table;
        let (from, led_by) = match lead {
            Lead::Words => {
                let expression = bound(&Value::from(self.words.join(" AND ")));
                let from = format!(
                    "{words} CROSS JOIN {items} ON place = {words}.rowid
                     WHERE {words} MATCH {expression} AND {words}.rowid"
                );
                (from, None)
            }
            Lead::Column(column, value) => {
                let Column { name, .. } = column;
                let value = bound(value);
                let from = format!(
                    "{items} INDEXED BY {items}_by_{name} WHERE {name} = {value} AND place"
                );
                (from, Some(*name))
            }
            Lead::Time => (format!("{items} INDEXED BY {items}_by_time WHERE place"), None),
            Lead::Log => (format!("{items} NOT INDEXED WHERE place"), None),
        };
        let others = self.columns.iter().filter(|column| Some(column.name) != led_by);
        let conditions = others.map(|Column { name, values }| {
            let values: Vec<_> = values.iter().map(&mut bound).collect();
            format!(" AND {name} IN ({})", values.join(", "))
        });
        let conditions: String = conditions.collect();
        let order = if upwards { "ASC" } else { "DESC" };
        let place =
            if let Lead::Words = lead { format!("{words}.rowid") } else { "place".to_owned() };
        let sql = format!(
            "SELECT place, record FROM {from} BETWEEN ?1 AND ?2
             AND {began} >= ?3 AND {began} < ?4{conditions} ORDER BY {place} {order} LIMIT ?5"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement
            .query_map(params_from_iter(values), |row| Ok((from_sql(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
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

/// What a search asks of the words, as FTS5 reads it. Between the quotes there are letters and
/// digits only.
fn words_of(search: &Search) -> Vec<String> {
    search.prefixes().map(|prefix| format!("\"{prefix}\"*")).collect()
}
