//! Everything the memory store holds, behind its one lock; appends are staged, then kept whole.

use super::Capacity;
use super::idempotency_cache::{FirstUse, IdempotencyCache, Name};
use super::log::Log;
use super::projections::{Alerts, Messages};
use super::shelf::View;
use crate::{
    AppendError, Deadlines, IdempotencyKey, Outcome, ReadError, ReadFrom, RecordedOutcome,
    Rejection, RetentionClock, Submission, Summary,
};
use northgate_domain::{
    Alert, AlertEvent, AlertId, ChatMessage, Decision, DedupKey, Epoch, Event, Position,
    Positioned, Stamps, Subject, Timestamp, decide,
};
use std::collections::{HashMap, HashSet};

pub(super) struct State {
    log: Log,
    /// The moment of the newest event.
    newest: Timestamp,
    /// By what keys are forgotten.
    retention: RetentionClock,
    alerts: Alerts,
    messages: Messages,
    keys: IdempotencyCache,
}

impl State {
    pub(super) fn new(epoch: Epoch, capacity: Capacity, stamps: &dyn Stamps) -> Self {
        Self {
            newest: Timestamp::from_unix_micros(i64::MIN),
            retention: RetentionClock::new(stamps),
            log: Log::new(epoch, capacity.events.get()),
            alerts: Alerts::new(capacity.alerts.get()),
            messages: Messages::new(capacity.messages.get()),
            keys: IdempotencyCache::new(capacity.keys.get()),
        }
    }

    pub(super) fn head(&self) -> Position {
        self.log.head()
    }

    pub(super) fn evicted_alerts(&self) -> u64 {
        self.alerts.evicted
    }

    pub(super) fn append(
        &mut self,
        submissions: Vec<Submission>,
        stamps: &dyn Stamps,
    ) -> Result<Vec<Outcome>, AppendError> {
        let mut staged = Staged::after(self.newest, self.retention.now(stamps));
        let mut outcomes = Vec::with_capacity(submissions.len());
        for (index, submission) in submissions.into_iter().enumerate() {
            let outcome = self
                .stage(submission, &mut staged, stamps)
                .map_err(|rejection| AppendError::Rejected { index, rejection })?;
            outcomes.push(outcome);
        }
        self.keep(staged);
        Ok(outcomes)
    }

    /// Decides one submission against what is held and what was staged before it.
    fn stage(
        &self,
        submission: Submission,
        staged: &mut Staged,
        stamps: &dyn Stamps,
    ) -> Result<Outcome, Rejection> {
        let stamp = stamps.stamp().not_before(staged.newest);
        let name = submission.key.as_ref().map(name_of);
        if let (Some(key), Some(name)) = (&submission.key, &name)
            && let Some(first) =
                staged.keys.get(name).or_else(|| self.keys.get(name, staged.retained_at))
        {
            return first.replay(key).map(Outcome::Replayed);
        }
        let subject = submission.command.subject();
        let state = subject.and_then(|subject| self.alert_of(subject, staged));
        let next = self.log.head().advanced_by(staged.events.len() as u64 + 1);
        let answer = match decide(state.map(|state| &state.value), &submission.command, stamp)? {
            Decision::Unchanged(alert) => {
                let raised = state.map_or(next, |state| state.position);
                RecordedOutcome::Unchanged(Positioned { position: raised, value: alert })
            }
            Decision::Event(event) => {
                let mut raised = next;
                if let Event::Alert(AlertEvent { alert, .. }) = &event {
                    let before = state.filter(|before| before.value.id == alert.id);
                    raised = before.map_or(next, |before| before.position);
                    staged.put(Positioned { position: raised, value: alert.clone() });
                }
                staged.newest = stamp.at;
                let event = Positioned { position: next, value: event };
                staged.events.push(event.clone());
                RecordedOutcome::Appended { event, raised }
            }
        };
        if let (Some(key), Some(name)) = (submission.key, name) {
            let first_use =
                FirstUse { at: stamp.clock, fingerprint: key.fingerprint, answer: answer.clone() };
            staged.key_order.push(name.clone());
            staged.keys.insert(name, first_use);
        }
        Ok(answer.into())
    }

    /// The alert that a command is about, as it is after what was staged.
    fn alert_of<'a>(
        &'a self,
        subject: Subject<'_>,
        staged: &'a Staged,
    ) -> Option<&'a Positioned<Alert>> {
        match subject {
            Subject::Id(id) => staged.alerts.get(&id).or_else(|| self.alerts.get(id)),
            Subject::OpenKey(key) => {
                let changed = staged.open_keys.get(key).into_iter().flatten();
                let changed = changed.filter_map(|id| staged.alerts.get(id));
                let held = self.alerts.open_by_key(key);
                let held = held.filter(|alert| !staged.alerts.contains_key(&alert.value.id));
                changed.chain(held.take(1)).max_by_key(|alert| alert.position.offset)
            }
        }
    }

    fn keep(&mut self, mut staged: Staged) {
        self.newest = staged.newest;
        for event in staged.events {
            self.alerts.apply(&event);
            self.messages.apply(&event);
            self.log.push(event);
        }
        self.alerts.trim();
        self.messages.trim();
        for name in staged.key_order {
            if let Some(first_use) = staged.keys.remove(&name) {
                self.keys.remember(name, first_use);
            }
        }
    }

    pub(super) fn read(
        &self,
        from: ReadFrom,
        limit: usize,
    ) -> Result<Vec<Positioned<Event>>, ReadError> {
        self.log.read(from, limit)
    }

    /// All alerts as they stand.
    pub(super) fn alerts(&self) -> View<Alert> {
        self.alerts.view()
    }

    /// All messages that are held.
    pub(super) fn messages(&self) -> View<ChatMessage> {
        self.messages.view()
    }

    pub(super) fn alert(&self, id: AlertId) -> Option<&Positioned<Alert>> {
        self.alerts.get(id)
    }

    pub(super) fn summary(&self) -> Summary {
        Summary { position: self.head(), counts: self.alerts.counts() }
    }

    pub(super) fn overdue(&self, deadlines: &Deadlines, limit: usize) -> Vec<Positioned<Alert>> {
        self.alerts.overdue(deadlines, limit)
    }
}

/// What one append will change, if nothing in it is refused.
struct Staged {
    events: Vec<Positioned<Event>>,
    /// The moment of the newest of them, or of the log's.
    newest: Timestamp,
    /// The moment by which keys are forgotten.
    retained_at: Timestamp,
    /// The alerts that those events touch, as they stand afterwards.
    alerts: HashMap<AlertId, Positioned<Alert>>,
    /// Those of them that take in repeats, by their keys.
    open_keys: HashMap<DedupKey, HashSet<AlertId>>,
    keys: HashMap<Name, FirstUse>,
    key_order: Vec<Name>,
}

impl Staged {
    /// Nothing yet.
    fn after(newest: Timestamp, retained_at: Timestamp) -> Self {
        Self {
            events: Vec::new(),
            newest,
            retained_at,
            alerts: HashMap::new(),
            open_keys: HashMap::new(),
            keys: HashMap::new(),
            key_order: Vec::new(),
        }
    }

    fn put(&mut self, after: Positioned<Alert>) {
        let id = after.value.id;
        if let Some(key) = &after.value.dedup_key {
            let open = self.open_keys.entry(key.clone()).or_default();
            if after.value.is_resolved() {
                open.remove(&id);
            } else {
                open.insert(id);
            }
        }
        self.alerts.insert(id, after);
    }
}

fn name_of(key: &IdempotencyKey) -> Name {
    (key.scope.clone(), key.value.clone())
}
