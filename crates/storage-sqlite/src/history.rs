//! Queries for alerts and messages, and for the retained events of one alert.
//!
//! Queries filter by range, time, words and columns. Each query follows the index that usually
//! leaves the fewest items to examine.

use crate::columns::{label_word, severity_number, status_number};
use crate::database::{DatabaseError, from_sql, limit_to_sql, to_sql};
use crate::queries::{At, alert_by_id, head, oldest_event};
use crate::session::Session;
use northgate_domain::{
    Alert, AlertId, AlertQuery, AlertTimeline, ChatMessage, Epoch, Event, HistoryPage,
    HistoryRange, MessageQuery, Position, Positioned, Search, Timestamp,
};
use northgate_storage::codec::{CodecError, decode_alert, decode_event, decode_message};
use northgate_storage::{PageBuilder, ScanPlan};
use rusqlite::types::Value;
use rusqlite::{params, params_from_iter};
use std::ops::RangeInclusive;

/// Largest number of items in a range of time for which a query follows the index of times and then
/// sorts by offset. For more items a scan along the log is cheaper.
const FEW: usize = 4_096;

/// Returns the current alerts that match.
pub(crate) fn alerts(
    session: Session<'_>,
    query: &AlertQuery,
) -> Result<HistoryPage<Alert>, DatabaseError> {
    let text = |text: &str| Value::from(text.to_owned());
    let mut columns = vec![
        Column::new("source", query.sources.iter().map(|source| text(source.as_str()))),
        Column::new("location", query.locations.iter().map(|location| text(location.as_str()))),
        Column::new("status", query.statuses.iter().map(|s| Value::from(status_number(*s)))),
        Column::new(
            "severity",
            query.severities.listed().iter().map(|s| Value::from(severity_number(*s))),
        ),
    ];
    columns.retain(|column| !column.values.is_empty());
    let mut words = words_of(&query.search);
    for choices in query.label_choices().values() {
        let choices = choices.iter().map(|label| format!("\"{}\"", label_word(label)));
        words.push(format!("({})", choices.collect::<Vec<_>>().join(" OR ")));
    }
    HistoryScan { session, table: ALERTS, range: &query.range, words, columns }.run()
}

/// Returns the chat messages that match.
pub(crate) fn messages(
    session: Session<'_>,
    query: &MessageQuery,
) -> Result<HistoryPage<ChatMessage>, DatabaseError> {
    let alert = query.alert_id.map(|AlertId(id)| Value::from(id.into_bytes().to_vec()));
    let columns = alert.map(|alert| Column::new("alert_id", [alert])).into_iter().collect();
    let words = words_of(&query.search);
    HistoryScan { session, table: MESSAGES, range: &query.range, words, columns }.run()
}

/// Returns one alert and a page of its retained events, and the head.
pub(crate) fn alert_events(
    session: Session<'_>,
    id: AlertId,
    range: &HistoryRange,
) -> Result<At<Option<AlertTimeline>>, DatabaseError> {
    let head = head(session.connection)?;
    ScanPlan::new(range, head).map_err(DatabaseError::Refused)?;
    let Some(alert) = alert_by_id(session, head.epoch, id)? else { return Ok((head, None)) };
    let raised = Value::from(to_sql(alert.position.offset));
    let columns = vec![Column::new("alert", [raised])];
    let events = HistoryScan { session, table: EVENTS, range, words: Vec::new(), columns }.run()?;
    let oldest = oldest_event(session, alert.position)?;
    Ok((head, Some(AlertTimeline { alert, events, oldest })))
}

/// One kind of items: the names of its tables and columns, and the functions for its records.
struct Table<T> {
    items: &'static str,
    words: &'static str,
    /// Column with the time at which an item was created.
    began: &'static str,
    decode: fn(&[u8]) -> Result<T, CodecError>,
    /// Returns the approximate size of an item in bytes.
    bytes: fn(&T) -> usize,
}

const ALERTS: Table<Alert> = Table {
    items: "alerts",
    words: "alert_words",
    began: "raised_at",
    decode: decode_alert,
    bytes: Alert::approximate_bytes,
};
const MESSAGES: Table<ChatMessage> = Table {
    items: "messages",
    words: "message_words",
    began: "sent_at",
    decode: decode_message,
    bytes: ChatMessage::approximate_bytes,
};
/// Events have no full-text index, because no query searches their words.
const EVENTS: Table<Event> = Table {
    items: "events",
    words: "",
    began: "at",
    decode: decode_event,
    bytes: Event::approximate_bytes,
};

/// A condition on a column: the accepted values, without duplicates. The column has an index in
/// which the items with one value are in the order of their offsets.
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

/// Offsets of the items that match, in the order of the scan.
#[derive(Default)]
struct Matches {
    offsets: Vec<u64>,
    /// Offset of the last examined item, if the scan ended because it had examined too many items.
    examined_to: Option<u64>,
}

/// The index that a scan follows.
#[derive(Clone, Copy)]
enum IndexChoice<'a> {
    /// The full-text index: a search with few matches examines few items.
    Words,
    /// The index of a column, for one of its values.
    Column(&'a Column, &'a Value),
    /// The index of times, used if the range of time contains few items.
    Time,
    /// The table itself, in the order of offsets.
    Log,
}

struct HistoryScan<'a, T> {
    session: Session<'a>,
    table: Table<T>,
    range: &'a HistoryRange,
    /// Conditions on the words, in the query syntax of FTS5.
    words: Vec<String>,
    /// Conditions on columns. The first one usually leaves the fewest items to examine.
    columns: Vec<Column>,
}

impl<T> HistoryScan<'_, T> {
    fn run(&self) -> Result<HistoryPage<T>, DatabaseError> {
        let head = head(self.session.connection)?;
        let plan = ScanPlan::new(self.range, head).map_err(DatabaseError::Refused)?;
        let found = self.find(&plan.offsets, plan.upwards, plan.wanted())?;
        let beyond = self.find(&plan.beyond, false, 1)?;
        let more_beyond = !beyond.offsets.is_empty() || beyond.examined_to.is_some();
        let page = self.load(&plan, head.epoch, &found)?;
        Ok(plan.end(page, more_beyond))
    }

    /// Reads the items one by one, so that at most one page is in memory.
    fn load(
        &self,
        plan: &ScanPlan,
        epoch: Epoch,
        found: &Matches,
    ) -> Result<PageBuilder<T>, DatabaseError> {
        let Table { items, decode, bytes, .. } = self.table;
        let sql = format!("SELECT record FROM {items} WHERE place = ?1");
        let mut statement = self.session.connection.prepare_cached(&sql)?;
        let mut page = plan.page();
        let mut skipped = None;
        for offset in found.offsets.iter().copied() {
            let mut rows = statement.query(params![to_sql(offset)])?;
            let Some(row) = rows.next()? else { continue };
            let record = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
            let Some(value) = self.session.readable(items, offset, decode(record)) else {
                skipped = Some(offset);
                continue;
            };
            let size = bytes(&value);
            if !page.push(Positioned { position: Position { epoch, offset }, value }, size) {
                return Ok(page);
            }
            skipped = None;
        }
        // If the last items are unreadable, the next page begins after them.
        let more = found.offsets.len() >= plan.wanted();
        if let Some(offset) = found.examined_to.or(skipped.filter(|_| more)) {
            page.stop_at(offset);
        }
        Ok(page)
    }

    /// Returns the offsets of the first `wanted` matching items within `offsets`.
    fn find(
        &self,
        offsets: &RangeInclusive<u64>,
        upwards: bool,
        wanted: usize,
    ) -> Result<Matches, DatabaseError> {
        if offsets.is_empty() {
            return Ok(Matches::default());
        }
        let scan = |index, max| self.scan(index, offsets, upwards, wanted, max);
        let max = self.range.max_scanned;
        if !self.words.is_empty() {
            return scan(IndexChoice::Words, max);
        }
        let Some(column) = self.columns.first() else {
            return scan(
                if self.is_between_few()? { IndexChoice::Time } else { IndexChoice::Log },
                max,
            );
        };
        // Each value has its own scan. An item has only one value in the column, so no item is
        // found twice.
        let mut all = Matches::default();
        for value in &column.values {
            let max = max.div_ceil(column.values.len());
            let Matches { offsets, examined_to } = scan(IndexChoice::Column(column, value), max)?;
            all.offsets.extend(offsets);
            let ends = all.examined_to.into_iter().chain(examined_to);
            all.examined_to = if upwards { ends.min() } else { ends.max() };
        }
        // A scan that ended early may have missed matches beyond its end. So matches beyond the
        // first such end are dropped, and the next page begins there.
        if let Some(end) = all.examined_to {
            all.offsets.retain(|offset| if upwards { *offset <= end } else { *offset >= end });
        }
        all.offsets.sort_unstable();
        if !upwards {
            all.offsets.reverse();
        }
        if all.offsets.len() >= wanted {
            all.offsets.truncate(wanted);
            all.examined_to = None;
        }
        Ok(all)
    }

    /// Follows one index and examines at most `max_scanned` items.
    fn scan(
        &self,
        index: IndexChoice<'_>,
        offsets: &RangeInclusive<u64>,
        upwards: bool,
        wanted: usize,
        max_scanned: usize,
    ) -> Result<Matches, DatabaseError> {
        let (sql, values) = self.statement(index, offsets, upwards);
        let mut statement = self.session.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut matches = Matches::default();
        let (mut scanned, mut last) = (0, None);
        while matches.offsets.len() < wanted
            && let Some(row) = rows.next()?
        {
            if let (true, Some(last)) = (scanned >= max_scanned, last) {
                matches.examined_to = Some(last);
                break;
            }
            let offset = from_sql(row.get(0)?);
            if row.get(1)? {
                matches.offsets.push(offset);
            }
            (scanned, last) = (scanned + 1, Some(offset));
        }
        Ok(matches)
    }

    /// Returns the statement that selects, along an index, the offset of each item and whether the
    /// item matches.
    fn statement(
        &self,
        index: IndexChoice<'_>,
        offsets: &RangeInclusive<u64>,
        upwards: bool,
    ) -> (String, Vec<Value>) {
        let (since, until) = self.moments();
        let mut values = vec![
            Value::from(to_sql(*offsets.start())),
            Value::from(to_sql(*offsets.end())),
            Value::from(since),
            Value::from(until),
        ];
        let mut bound = |value: &Value| {
            values.push(value.clone());
            format!("?{}", values.len())
        };
        let Table { items, words, began, .. } = self.table;
        let (from, offset, index_column) = match index {
            IndexChoice::Words => {
                let expression = bound(&Value::from(self.words.join(" AND ")));
                let offset = format!("{words}.rowid");
                let join = format!("{words} CROSS JOIN {items} ON place = {offset}");
                (format!("{join} WHERE {words} MATCH {expression} AND {offset}"), offset, None)
            }
            IndexChoice::Column(column, value) => {
                let Column { name, .. } = column;
                let value = bound(value);
                let indexed = format!("{items} INDEXED BY {items}_by_{name}");
                let from = format!("{indexed} WHERE {name} = {value} AND place");
                (from, "place".to_owned(), Some(*name))
            }
            IndexChoice::Time => {
                // SQLite sorts the items by offset, which is cheap for at most `FEW` items.
                let indexed = format!("{items} INDEXED BY {items}_by_time");
                let within = format!("WHERE {began} >= ?3 AND {began} < ?4 AND place");
                (format!("{indexed} {within}"), "place".to_owned(), None)
            }
            IndexChoice::Log => {
                (format!("{items} NOT INDEXED WHERE place"), "place".to_owned(), None)
            }
        };
        let others = self.columns.iter().filter(|column| Some(column.name) != index_column);
        let conditions = others.map(|Column { name, values }| {
            let values: Vec<_> = values.iter().map(&mut bound).collect();
            format!(" AND {name} IN ({})", values.join(", "))
        });
        let conditions: String = conditions.collect();
        let order = if upwards { "ASC" } else { "DESC" };
        // `IS TRUE` is needed because a condition on a NULL column is neither true nor false.
        let matches = format!("({began} >= ?3 AND {began} < ?4{conditions}) IS TRUE");
        let sql = format!(
            "SELECT place, {matches} FROM {from} BETWEEN ?1 AND ?2 ORDER BY {offset} {order}"
        );
        (sql, values)
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
        let mut statement = self.session.connection.prepare_cached(&sql)?;
        let values = params![since, until, limit_to_sql(FEW + 1)];
        let between = statement.query_row(values, |row| row.get(0)).map(from_sql)?;
        Ok(between <= FEW as u64)
    }

    /// Returns the bounds of the range of time in microseconds since 1970: the first inclusive, the
    /// second exclusive.
    fn moments(&self) -> (i64, i64) {
        let since = self.range.since.map_or(i64::MIN, Timestamp::unix_micros);
        (since, self.range.until.map_or(i64::MAX, Timestamp::unix_micros))
    }
}

/// Returns the conditions of a search in the query syntax of FTS5. The prefixes need no escaping,
/// because they contain only letters and digits.
fn words_of(search: &Search) -> Vec<String> {
    search.prefixes().map(|prefix| format!("\"{prefix}\"*")).collect()
}
