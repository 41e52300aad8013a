//! The writing side of the database: what one vector of submissions leads to, inside a transaction
//! that somebody else ends.

use crate::columns::{
    alert_counts, indexed_words, put_alert_counts, severity_number, status_number,
};
use crate::database::{DatabaseError, checkpoint, connect_to_write, from_sql, to_sql};
use crate::queries::{alert_by_id, alert_by_open_key, count, ends_of_log, id_word, newest_moment};
use crate::schema;
use crate::session::{Session, Unreadable};
use northgate_domain::{
    Alert, AlertEvent, AlertId, ChatMessage, Command, Decision, DedupKey, Epoch, Event, Position,
    Positioned, Source, Stamps, Subject, Timestamp, decide,
};
use northgate_storage::codec::{
    decode_outcome, encode_alert, encode_event, encode_message, encode_outcome,
};
use northgate_storage::{
    AlertCounts, Fingerprint, IdempotencyKey, Outcome, RecordedOutcome, Rejection, Submission,
};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::path::Path;
use std::sync::Arc;

/// How much is in the tables, so that nobody has to count.
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
    /// The moment of the newest event: no later one is of an earlier moment.
    pub(crate) newest: Option<Timestamp>,
}

/// The length of an event's record before any was written.
const USUAL_EVENT_BYTES: u64 = 512;

/// The only connection that writes, and what it knows without asking.
pub(crate) struct WriteConnection {
    pub(crate) sqlite: Connection,
    pub(crate) epoch: Epoch,
    pub(crate) counters: StoreCounters,
    /// The moment by which keys and old events are forgotten; set by its owner before each use.
    pub(crate) retained_at: Timestamp,
    /// Whether nothing but open alerts is left of what `--retain-bytes` allows: then only actions
    /// are taken, since they may resolve some.
    pub(crate) only_open_alerts_left: bool,
    /// The usual length of an event's record in bytes, from the newest ones.
    pub(crate) event_bytes: u64,
    unreadable: Arc<Unreadable>,
    /// What the table of counts has.
    written_counts: AlertCounts,
}

/// Why nothing of one vector is in the transaction.
#[derive(Debug)]
pub(crate) enum VectorError {
    /// One submission was refused.
    Rejected { index: usize, rejection: Rejection },
    /// The database failed; it is as it was before the vector.
    Failed(DatabaseError),
}

impl WriteConnection {
    /// Opens the database at start: made if there is none, and brought to the newest schema.
    pub(crate) fn open(
        file: &Path,
        epoch_if_new: Epoch,
        unreadable: Arc<Unreadable>,
    ) -> rusqlite::Result<Self> {
        let mut connection = connect_to_write(file, OpenFlags::SQLITE_OPEN_CREATE)?;
        schema::migrate(&mut connection, epoch_if_new)?;
        // What a crash or a full disk left in the write-ahead log must not fill the disk again. An
        // error here comes again with the first commit, and is told there.
        let _ = checkpoint(&connection);
        Self::of(connection, unreadable)
    }

    /// Opens the database that was open before. If it is not there any more, none is made in its
    /// place: that one would give old positions to new events.
    pub(crate) fn reopen(file: &Path, unreadable: Arc<Unreadable>) -> rusqlite::Result<Self> {
        Self::of(connect_to_write(file, OpenFlags::empty())?, unreadable)
    }

    /// Takes everything from the file.
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

    /// The connection as queries use it.
    fn session(&self) -> Session<'_> {
        Session { connection: &self.sqlite, unreadable: &self.unreadable }
    }

    /// Begins a transaction that holds the right to write.
    pub(crate) fn begin(&self) -> Result<(), DatabaseError> {
        self.run("BEGIN IMMEDIATE")
    }

    /// Writes what is known of the transaction as a whole: to be called before its end. A connection
    /// whose transaction does not end well is not used any more.
    pub(crate) fn finish(&mut self) -> Result<(), DatabaseError> {
        put_alert_counts(&self.sqlite, &self.written_counts, &self.counters.alert_counts)?;
        self.written_counts = self.counters.alert_counts;
        Ok(())
    }

    /// Ends a transaction of a store that nobody uses yet.
    pub(crate) fn commit(&mut self) -> Result<(), DatabaseError> {
        self.finish()?;
        self.run("COMMIT")
    }

    /// Writes without a change of anything, to see whether that is possible.
    pub(crate) fn touch(&self) -> Result<(), DatabaseError> {
        self.run("UPDATE meta SET epoch = epoch")
    }

    /// Decides the submissions in their order and writes what follows, all of it or nothing: what
    /// was in the transaction before stays. An error of this function itself means that the
    /// transaction cannot be used any more.
    pub(crate) fn append(
        &mut self,
        submissions: Vec<Submission>,
        stamps: &dyn Stamps,
    ) -> Result<Result<Vec<Outcome>, VectorError>, DatabaseError> {
        if submissions.len() > 1 {
            return self.append_undoably(submissions, stamps);
        }
        let before = self.sqlite.total_changes();
        match self.append_each(submissions, stamps) {
            Err(VectorError::Failed(error))
                if self.sqlite.is_autocommit() || self.sqlite.total_changes() != before =>
            {
                Err(error)
            }
            // One that is refused has written nothing, since it is decided before it is written.
            result => Ok(result),
        }
    }

    /// In a savepoint, which costs a copy of every page that is touched after it.
    fn append_undoably(
        &mut self,
        submissions: Vec<Submission>,
        stamps: &dyn Stamps,
    ) -> Result<Result<Vec<Outcome>, VectorError>, DatabaseError> {
        let before = self.counters;
        self.run("SAVEPOINT vector")?;
        let mut result = self.append_each(submissions, stamps);
        if let Err(error) = result {
            let undone = self.run("ROLLBACK TO vector");
            self.counters = before;
            match (undone, error) {
                (Ok(()), error) => result = Err(error),
                // A full disk has ended the whole transaction, savepoint and all.
                (Err(_), VectorError::Failed(error)) | (Err(error), _) => return Err(error),
            }
        }
        self.run("RELEASE vector")?;
        Ok(result)
    }

    fn append_each(
        &mut self,
        submissions: Vec<Submission>,
        stamps: &dyn Stamps,
    ) -> Result<Vec<Outcome>, VectorError> {
        let mut outcomes = Vec::with_capacity(submissions.len());
        for (index, submission) in submissions.into_iter().enumerate() {
            match self.append_one(&submission, stamps) {
                Ok(Ok(outcome)) => outcomes.push(outcome),
                Ok(Err(rejection)) => return Err(VectorError::Rejected { index, rejection }),
                Err(error) => return Err(VectorError::Failed(error)),
            }
        }
        Ok(outcomes)
    }

    fn append_one(
        &mut self,
        submission: &Submission,
        stamps: &dyn Stamps,
    ) -> Result<Result<Outcome, Rejection>, DatabaseError> {
        let Submission { command, key } = submission;
        let stamp = stamps.stamp();
        let stamp = self.counters.newest.map_or(stamp, |newest| stamp.not_before(newest));
        if let Some(key) = key
            && let Some(replay) = self.replay(key)?
        {
            return Ok(replay.map(Outcome::Replayed));
        }
        // What is done about an alert may make room.
        if self.only_open_alerts_left && !matches!(command, Command::ActOnAlert(_)) {
            return Err(DatabaseError::OnlyOpenAlertsLeft);
        }
        let state = match command.subject() {
            Some(Subject::Id(id)) => alert_by_id(self.session(), self.epoch, id)?,
            Some(Subject::OpenKey(key)) => alert_by_open_key(self.session(), self.epoch, key)?,
            None => None,
        };
        let next = self.head().advanced_by(1);
        let decision = match decide(state.as_ref().map(|state| &state.value), command, stamp) {
            Ok(decision) => decision,
            Err(rejection) => return Ok(Err(rejection.into())),
        };
        let answer = match decision {
            Decision::Unchanged(value) => {
                let position = state.map_or(next, |state| state.position);
                RecordedOutcome::Unchanged(Positioned { position, value })
            }
            Decision::Event(value) => {
                let event = Positioned { position: next, value };
                let raised = self.insert(&event, state)?;
                RecordedOutcome::Appended { event, raised }
            }
        };
        if let Some(key) = key {
            self.remember(key, &answer, stamp.clock)?;
        }
        Ok(Ok(answer.into()))
    }

    /// Writes an event and the state that it leaves, and gives where its alert was raised. `subject`
    /// is the alert that it was decided on, which is another one if a new alert begins.
    fn insert(
        &mut self,
        event: &Positioned<Event>,
        subject: Option<Positioned<Alert>>,
    ) -> Result<Position, DatabaseError> {
        let offset = to_sql(event.position.offset);
        self.put_event(event.position.offset, event.value.at(), &encode_event(&event.value)?)?;
        match &event.value {
            Event::Chat(message) => self.put_message(offset, message)?,
            Event::Alert(AlertEvent { alert, .. }) => {
                if let Some(before) = subject.filter(|subject| subject.value.id == alert.id) {
                    self.change_alert(&before, alert)?;
                    return Ok(before.position);
                }
                self.put_alert(event.position, alert)?;
            }
        }
        Ok(event.position)
    }

    /// Writes the record of an event at the end of the log.
    pub(crate) fn put_event(
        &mut self,
        offset: u64,
        at: Timestamp,
        record: &[u8],
    ) -> Result<(), DatabaseError> {
        let sql = "INSERT INTO events (place, record, at) VALUES (?1, ?2, ?3)";
        self.execute(sql, params![to_sql(offset), record, at.unix_micros()])?;
        self.counters.head = offset;
        self.counters.newest = Some(at);
        self.event_bytes = (self.event_bytes * 63 + record.len() as u64) / 64;
        Ok(())
    }

    /// Writes an alert that was not there before.
    pub(crate) fn put_alert(
        &mut self,
        raised: Position,
        alert: &Alert,
    ) -> Result<(), DatabaseError> {
        let place = to_sql(raised.offset);
        let sql = "INSERT INTO alerts
                       (place, raised_at, location, record, status, severity, source, dedup_key,
                        expires_at, updated_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let values = params![
            place,
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
        self.execute(sql, params![place, id_word(alert.id)])?;
        let sql = "INSERT INTO alert_words (rowid, words) VALUES (?1, ?2)";
        self.execute(sql, params![place, indexed_words(alert)])?;
        self.counters.alerts += 1;
        self.counters.alert_counts.add(alert);
        Ok(())
    }

    /// Writes an alert as it stands after a change. Only what can change is looked at.
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
        place: i64,
        message: &ChatMessage,
    ) -> Result<(), DatabaseError> {
        let sql = "INSERT INTO messages (place, sent_at, record, alert_id) VALUES (?1, ?2, ?3, ?4)";
        let record = encode_message(message)?;
        let alert_id = message.alert_id.map(|AlertId(id)| id.into_bytes());
        self.execute(sql, params![place, message.sent_at.unix_micros(), record, alert_id])?;
        let sql = "INSERT INTO message_words (rowid, words) VALUES (?1, ?2)";
        self.execute(sql, params![place, message.search_text().as_str()])?;
        self.counters.messages += 1;
        Ok(())
    }

    /// The first answer of a key that was seen before, and is not forgotten yet.
    fn replay(
        &self,
        key: &IdempotencyKey,
    ) -> Result<Option<Result<RecordedOutcome, Rejection>>, DatabaseError> {
        let decode = |answer: &[u8]| decode_outcome(answer, self.epoch);
        let sql = "SELECT fingerprint, answer, seen FROM keys
                   WHERE scope = ?1 AND value = ?2 AND used_at > ?3";
        let forgotten = IdempotencyKey::forgotten_since(self.retained_at).unix_micros();
        let mut statement = self.sqlite.prepare_cached(sql)?;
        let first = statement.query_row(params![key.scope, key.value, forgotten], |row| {
            let fingerprint = row.get::<_, Option<[u8; 32]>>(0)?;
            Ok((fingerprint, row.get::<_, Vec<u8>>(1)?, row.get(2)?))
        });
        let Some((fingerprint, answer, seen)) = first.optional()? else { return Ok(None) };
        match (fingerprint, key.fingerprint) {
            (Some(first), Some(Fingerprint(now))) if first != now => {
                Ok(Some(Err(Rejection::KeyReused)))
            }
            // To take the command for a new one could make an event of it twice.
            _ => match self.session().readable("keys", from_sql(seen), decode(&answer)) {
                Some(answer) => Ok(Some(Ok(answer))),
                None => Err(DatabaseError::UnreadableAnswer),
            },
        }
    }

    fn remember(
        &mut self,
        key: &IdempotencyKey,
        answer: &RecordedOutcome,
        used_at: Timestamp,
    ) -> Result<(), DatabaseError> {
        // One that was forgotten, and not removed yet, makes room for its new use.
        let sql = "DELETE FROM keys WHERE scope = ?1 AND value = ?2";
        self.counters.keys -= self.execute(sql, params![key.scope, key.value])?;
        let sql = "INSERT INTO keys (scope, value, fingerprint, answer, used_at)
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let fingerprint = key.fingerprint.map(|Fingerprint(digest)| digest);
        let answer = encode_outcome(answer)?;
        self.execute(
            sql,
            params![key.scope, key.value, fingerprint, answer, used_at.unix_micros()],
        )?;
        self.counters.keys += 1;
        Ok(())
    }

    /// Runs one statement, and gives the number of rows that it changed.
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
