//! The writing side of the database: decides and writes one vector of submissions. The writer ends
//! the transaction.

use crate::columns::{
    alert_counts, indexed_words, put_alert_counts, severity_number, status_number,
};
use crate::database::{DatabaseError, checkpoint, connect_to_write, from_sql, to_sql};
use crate::queries::{alert_by_id, alert_by_open_key, count, ends_of_log, id_word, newest_moment};
use crate::schema;
use crate::session::{Session, Unreadable};
use northgate_domain::{
    Alert, AlertCounts, AlertId, ChatMessage, Command, DedupKey, Epoch, Event, EventMeta,
    MetaSource, Position, Positioned, Source, Subject, Timestamp,
};
use northgate_storage::codec::{
    decode_outcome, encode_alert, encode_event, encode_message, encode_outcome,
};
use northgate_storage::{
    Fingerprint, FirstUse, IdempotencyKey, LogEnd, Outcome, Rejection, Submission,
    decide_submission,
};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::path::Path;
use std::sync::Arc;

/// Ends of the log and counts of rows, maintained in memory so that no query has to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoreCounters {
    /// The offset of the newest event.
    pub(crate) head: u64,
    /// The offset of the newest event that was trimmed.
    pub(crate) trimmed: u64,
    pub(crate) alerts: u64,
    pub(crate) messages: u64,
    pub(crate) keys: u64,
    /// The alerts by status and severity.
    pub(crate) alert_counts: AlertCounts,
    /// Time of the newest event. Later events never get an earlier time.
    pub(crate) newest: Option<Timestamp>,
}

/// Assumed length of an event's record in bytes before the first record is written.
const USUAL_EVENT_BYTES: u64 = 512;

/// The only connection that writes, with state of the database that is also in memory.
pub(crate) struct WriteConnection {
    pub(crate) sqlite: Connection,
    pub(crate) epoch: Epoch,
    pub(crate) counters: StoreCounters,
    /// The current time for the age of keys and events. The writer sets this time before each use.
    pub(crate) retained_at: Timestamp,
    /// Whether unresolved alerts use up `--retain-bytes`. If so, only actions on alerts are
    /// accepted, because an action can resolve an alert.
    pub(crate) only_open_alerts_left: bool,
    /// Moving average of the length of an event's record in bytes.
    pub(crate) event_bytes: u64,
    unreadable: Arc<Unreadable>,
    /// Counts of alerts that the table `tally` contains.
    written_counts: AlertCounts,
}

/// Why a vector was not added to the transaction.
#[derive(Debug)]
pub(crate) enum VectorError {
    /// One submission was rejected.
    Rejected { index: usize, rejection: Rejection },
    /// The database failed. The transaction is in the state before the vector.
    Failed(DatabaseError),
    /// The database failed, and the transaction is no longer usable.
    TransactionLost(DatabaseError),
}

/// Why one submission was not added to the transaction.
enum SubmissionError {
    Rejected(Rejection),
    Failed(DatabaseError),
}

impl From<Rejection> for SubmissionError {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<DatabaseError> for SubmissionError {
    fn from(error: DatabaseError) -> Self {
        Self::Failed(error)
    }
}

impl WriteConnection {
    /// Opens the database at the start of the store. Creates the database if it is missing, and
    /// migrates an older schema to the newest one.
    pub(crate) fn open(
        file: &Path,
        epoch_if_new: Epoch,
        unreadable: Arc<Unreadable>,
    ) -> rusqlite::Result<Self> {
        let mut connection = connect_to_write(file, OpenFlags::SQLITE_OPEN_CREATE)?;
        schema::migrate(&mut connection, epoch_if_new)?;
        // The write-ahead log can be long after a crash or a full disk. A checkpoint empties the
        // log before new writes use more space. An error is ignored here: the first commit has the
        // same error and reports it.
        let _ = checkpoint(&connection);
        Self::of(connection, unreadable)
    }

    /// Opens the database again after a failure. Never creates a missing database: in a new
    /// database, new events would get the positions of old events.
    pub(crate) fn reopen(file: &Path, unreadable: Arc<Unreadable>) -> rusqlite::Result<Self> {
        Self::of(connect_to_write(file, OpenFlags::empty())?, unreadable)
    }

    /// Reads the counters and the epoch from the database.
    fn of(connection: Connection, unreadable: Arc<Unreadable>) -> rusqlite::Result<Self> {
        let (newest, trimmed) = ends_of_log(&connection)?;
        let counters = StoreCounters {
            head: newest,
            trimmed,
            alerts: count(&connection, "SELECT count(*) FROM alerts")?,
            messages: count(&connection, "SELECT count(*) FROM messages")?,
            keys: count(&connection, "SELECT count(*) FROM keys")?,
            alert_counts: alert_counts(&connection)?,
            newest: newest_moment(&connection)?,
        };
        let retained_at = Timestamp::from_unix_micros(0);
        let epoch = schema::epoch(&connection)?;
        let only_open_alerts_left = false;
        let written_counts = counters.alert_counts;
        let event_bytes = USUAL_EVENT_BYTES;
        Ok(Self {
            sqlite: connection,
            epoch,
            counters,
            retained_at,
            only_open_alerts_left,
            event_bytes,
            unreadable,
            written_counts,
        })
    }

    pub(crate) fn head(&self) -> Position {
        self.at(self.counters.head)
    }

    /// Returns the connection for queries.
    fn session(&self) -> Session<'_> {
        Session { connection: &self.sqlite, unreadable: &self.unreadable }
    }

    /// Begins a transaction and acquires SQLite's write lock.
    pub(crate) fn begin(&self) -> Result<(), DatabaseError> {
        self.run("BEGIN IMMEDIATE")
    }

    /// Writes the counts that the transaction changed. To be called before the commit. If the
    /// commit fails, this connection must not be used again.
    pub(crate) fn finish(&mut self) -> Result<(), DatabaseError> {
        put_alert_counts(&self.sqlite, &self.written_counts, &self.counters.alert_counts)?;
        self.written_counts = self.counters.alert_counts;
        Ok(())
    }

    /// Commits a transaction during an import, when no other thread uses the store.
    pub(crate) fn commit(&mut self) -> Result<(), DatabaseError> {
        self.finish()?;
        self.run("COMMIT")
    }

    /// Writes a row without changing it, to test whether the database can be written.
    pub(crate) fn touch(&self) -> Result<(), DatabaseError> {
        self.run("UPDATE meta SET epoch = epoch")
    }

    /// Decides the submissions in order and writes the resulting events and states. If one
    /// submission fails, nothing of this vector is written. Earlier vectors stay in the
    /// transaction.
    pub(crate) fn append(
        &mut self,
        submissions: Vec<Submission>,
        meta: &MetaSource,
    ) -> Result<Vec<Outcome>, VectorError> {
        if submissions.len() > 1 {
            return self.append_undoably(submissions, meta);
        }
        let before = self.sqlite.total_changes();
        self.append_each(submissions, meta).map_err(|error| match error {
            VectorError::Failed(error)
                if self.sqlite.is_autocommit() || self.sqlite.total_changes() != before =>
            {
                VectorError::TransactionLost(error)
            }
            // A rejected submission has written nothing, because a submission is decided before its
            // first write.
            error => error,
        })
    }

    /// Appends in a savepoint, so that a failure undoes the vector. For a savepoint, SQLite copies
    /// every page that changes afterwards.
    fn append_undoably(
        &mut self,
        submissions: Vec<Submission>,
        meta: &MetaSource,
    ) -> Result<Vec<Outcome>, VectorError> {
        let before = self.counters;
        self.run("SAVEPOINT vector").map_err(VectorError::TransactionLost)?;
        let mut result = self.append_each(submissions, meta);
        if let Err(error) = result {
            let undone = self.run("ROLLBACK TO vector");
            self.counters = before;
            result = Err(match (undone, error) {
                (Ok(()), error) => error,
                // On a full disk SQLite has already rolled back the complete transaction.
                (Err(_), VectorError::Failed(error)) | (Err(error), _) => {
                    return Err(VectorError::TransactionLost(error));
                }
            });
        }
        self.run("RELEASE vector").map_err(VectorError::TransactionLost)?;
        result
    }

    fn append_each(
        &mut self,
        submissions: Vec<Submission>,
        meta: &MetaSource,
    ) -> Result<Vec<Outcome>, VectorError> {
        let mut outcomes = Vec::with_capacity(submissions.len());
        for (index, submission) in submissions.into_iter().enumerate() {
            match self.append_one(&submission, meta.next()) {
                Ok(outcome) => outcomes.push(outcome),
                Err(SubmissionError::Rejected(rejection)) => {
                    return Err(VectorError::Rejected { index, rejection });
                }
                Err(SubmissionError::Failed(error)) => return Err(VectorError::Failed(error)),
            }
        }
        Ok(outcomes)
    }

    fn append_one(
        &mut self,
        submission: &Submission,
        meta: EventMeta,
    ) -> Result<Outcome, SubmissionError> {
        let Submission { command, key } = submission;
        if let Some(key) = key
            && let Some(outcome) = self.replay(key)?
        {
            return Ok(outcome);
        }
        // An action can resolve an alert, and resolved alerts can be removed.
        if self.only_open_alerts_left && !matches!(command, Command::ActOnAlert(_)) {
            return Err(DatabaseError::OnlyOpenAlertsLeft.into());
        }
        let subject = match command.subject() {
            Some(Subject::Id(id)) => alert_by_id(self.session(), self.epoch, id)?,
            Some(Subject::OpenKey(key)) => alert_by_open_key(self.session(), self.epoch, key)?,
            None => None,
        };
        let end = LogEnd { head: self.head(), newest: self.counters.newest };
        let step = decide_submission(end, submission, subject.as_ref(), meta)?;
        if let Some(event) = &step.event {
            self.insert(event, step.alert.as_ref(), subject.as_ref())?;
        }
        if let (Some(key), Some(first_use)) = (key, &step.first_use) {
            self.remember(key, first_use)?;
        }
        Ok(step.outcome)
    }

    /// Writes an event and the resulting state. `before` is the alert that the command refers to.
    /// `alert` has another id than `before` if the command raised a new alert.
    fn insert(
        &mut self,
        event: &Positioned<Event>,
        alert: Option<&Positioned<Alert>>,
        before: Option<&Positioned<Alert>>,
    ) -> Result<(), DatabaseError> {
        let offset = event.position.offset;
        let raised = alert.map(|alert| alert.position.offset);
        self.put_event(offset, event.value.at(), raised, &encode_event(&event.value)?)?;
        if let Event::Chat(message) = &event.value {
            self.put_message(to_sql(offset), message)?;
        }
        match (alert, before) {
            (Some(alert), Some(before)) if before.value.id == alert.value.id => {
                self.change_alert(before, &alert.value)
            }
            (Some(alert), _) => self.put_alert(alert.position, &alert.value),
            (None, _) => Ok(()),
        }
    }

    /// Writes the record of an event at the end of the log. `raised` is the offset at which the
    /// alert of the event was raised; `None` if unknown or for chat.
    pub(crate) fn put_event(
        &mut self,
        offset: u64,
        at: Timestamp,
        raised: Option<u64>,
        record: &[u8],
    ) -> Result<(), DatabaseError> {
        let sql = "INSERT INTO events (place, record, at, alert) VALUES (?1, ?2, ?3, ?4)";
        let raised = raised.map(to_sql);
        self.execute(sql, params![to_sql(offset), record, at.unix_micros(), raised])?;
        self.counters.head = offset;
        self.counters.newest = Some(at);
        self.event_bytes = (self.event_bytes * 63 + record.len() as u64) / 64;
        Ok(())
    }

    /// Writes a new alert.
    pub(crate) fn put_alert(
        &mut self,
        raised: Position,
        alert: &Alert,
    ) -> Result<(), DatabaseError> {
        let offset = to_sql(raised.offset);
        let sql = "INSERT INTO alerts
                       (place, raised_at, location, record, status, severity, source, dedup_key,
                        expires_at, updated_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let values = params![
            offset,
            alert.raised_at.unix_micros(),
            alert.location.as_str(),
            encode_alert(alert)?,
            status_number(alert.status.kind()),
            severity_number(alert.severity),
            alert.source.as_ref().map(Source::as_str),
            alert.dedup_key.as_ref().map(DedupKey::as_str),
            alert.expires_at.map(Timestamp::unix_micros),
            alert.updated_at.unix_micros(),
        ];
        self.execute(sql, values)?;
        let sql = "INSERT INTO alert_ids (rowid, id) VALUES (?1, ?2)";
        self.execute(sql, params![offset, id_word(alert.id)])?;
        let sql = "INSERT INTO alert_words (rowid, words) VALUES (?1, ?2)";
        self.execute(sql, params![offset, indexed_words(alert)])?;
        self.counters.alerts += 1;
        self.counters.alert_counts.add(alert);
        Ok(())
    }

    /// Writes the new state of an alert. Only columns that can change are updated.
    fn change_alert(
        &mut self,
        before: &Positioned<Alert>,
        alert: &Alert,
    ) -> Result<(), DatabaseError> {
        let sql = "UPDATE alerts SET record = ?2, status = ?3, severity = ?4, expires_at = ?5,
                       updated_at = ?6
                   WHERE place = ?1";
        let values = params![
            to_sql(before.position.offset),
            encode_alert(alert)?,
            status_number(alert.status.kind()),
            severity_number(alert.severity),
            alert.expires_at.map(Timestamp::unix_micros),
            alert.updated_at.unix_micros(),
        ];
        self.execute(sql, values)?;
        self.counters.alert_counts.remove(&before.value);
        self.counters.alert_counts.add(alert);
        Ok(())
    }

    pub(crate) fn put_message(
        &mut self,
        offset: i64,
        message: &ChatMessage,
    ) -> Result<(), DatabaseError> {
        let sql = "INSERT INTO messages (place, sent_at, record, alert_id) VALUES (?1, ?2, ?3, ?4)";
        let record = encode_message(message)?;
        let alert_id = message.alert_id.map(|AlertId(id)| id.into_bytes());
        self.execute(sql, params![offset, message.sent_at.unix_micros(), record, alert_id])?;
        let sql = "INSERT INTO message_words (rowid, words) VALUES (?1, ?2)";
        self.execute(sql, params![offset, message.search_text().as_str()])?;
        self.counters.messages += 1;
        Ok(())
    }

    /// Returns the answer to the first use of a key, or `None` if the key is new or forgotten.
    fn replay(&self, key: &IdempotencyKey) -> Result<Option<Outcome>, SubmissionError> {
        let sql = "SELECT fingerprint, answer, seen FROM keys
                   WHERE scope = ?1 AND value = ?2 AND used_at > ?3";
        let forgotten = IdempotencyKey::forgotten_since(self.retained_at).unix_micros();
        let mut statement = self.sqlite.prepare_cached(sql).map_err(DatabaseError::from)?;
        let first = statement.query_row(params![key.scope, key.value, forgotten], |row| {
            let fingerprint = row.get::<_, Option<[u8; 32]>>(0)?;
            Ok((fingerprint, row.get::<_, Vec<u8>>(1)?, row.get(2)?))
        });
        let first = first.optional().map_err(DatabaseError::from)?;
        let Some((fingerprint, answer, seen)) = first else { return Ok(None) };
        key.check(fingerprint.map(Fingerprint))?;
        let outcome = decode_outcome(&answer, self.epoch);
        match self.session().readable("keys", from_sql(seen), outcome) {
            Some(outcome) => Ok(Some(Outcome::Replayed(outcome))),
            // A repeated command that counted as new could create a second event.
            None => Err(DatabaseError::UnreadableAnswer.into()),
        }
    }

    fn remember(&mut self, key: &IdempotencyKey, first: &FirstUse) -> Result<(), DatabaseError> {
        // A forgotten key can still have a row, which must be removed before the insertion.
        let sql = "DELETE FROM keys WHERE scope = ?1 AND value = ?2";
        self.counters.keys -= self.execute(sql, params![key.scope, key.value])?;
        let sql = "INSERT INTO keys (scope, value, fingerprint, answer, used_at)
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let fingerprint = first.fingerprint.map(|Fingerprint(digest)| digest);
        let (answer, used_at) = (encode_outcome(&first.outcome)?, first.used_at.unix_micros());
        self.execute(sql, params![key.scope, key.value, fingerprint, answer, used_at])?;
        self.counters.keys += 1;
        Ok(())
    }

    /// Runs one statement and returns the number of rows that it changed.
    pub(crate) fn execute(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<u64, DatabaseError> {
        let rows = self.sqlite.prepare_cached(sql)?.execute(values)?;
        Ok(from_sql(i64::try_from(rows).unwrap_or(i64::MAX)))
    }

    fn run(&self, sql: &str) -> Result<(), DatabaseError> {
        self.execute(sql, []).map(|_rows| ())
    }

    fn at(&self, offset: u64) -> Position {
        Position { epoch: self.epoch, offset }
    }
}
