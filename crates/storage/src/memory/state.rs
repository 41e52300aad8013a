//! Everything that the memory store contains, under its one lock. An append stages all its changes,
//! then applies them together.

use super::capacity::Capacity;
use super::idempotency_cache::{IdempotencyCache, Name};
use super::log::Log;
use super::projections::{Alerts, Messages};
use super::snapshot_map::Snapshot;
use crate::{
    AppendError, FirstUse, IdempotencyKey, LogEnd, Outcome, QueryError, ReadError, ReadFrom,
    Rejection, RetentionClock, ScanPlan, Submission, decide_submission,
};
use northgate_domain::{
    Alert, AlertId, AlertTimeline, ChatMessage, Clock, Deadlines, DedupKey, Epoch, Event,
    EventMeta, HistoryRange, MetaSource, Position, Positioned, Subject, Summary, Timestamp,
};
use std::collections::{HashMap, HashSet};

pub(super) struct State {
    log: Log,
    /// Timestamp of the newest event; `None` in an empty log.
    newest: Option<Timestamp>,
    /// Clock that decides when keys are forgotten.
    retention: RetentionClock,
    alerts: Alerts,
    messages: Messages,
    keys: IdempotencyCache,
}

impl State {
    pub(super) fn new(epoch: Epoch, capacity: Capacity, clock: &dyn Clock) -> Self {
        Self {
            newest: None,
            retention: RetentionClock::new(clock),
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
        meta: &MetaSource,
    ) -> Result<Vec<Outcome>, AppendError> {
        let end = LogEnd { head: self.log.head(), newest: self.newest };
        let mut staged = Staged::after(end, self.retention.now(meta.clock.as_ref()));
        let mut outcomes = Vec::with_capacity(submissions.len());
        for (index, submission) in submissions.into_iter().enumerate() {
            let outcome = self
                .stage(&submission, &mut staged, meta.next())
                .map_err(|rejection| AppendError::Rejected { index, rejection })?;
            outcomes.push(outcome);
        }
        self.keep(staged);
        Ok(outcomes)
    }

    /// Decides one submission, after the submissions that were staged before it.
    fn stage(
        &self,
        submission: &Submission,
        staged: &mut Staged,
        meta: EventMeta,
    ) -> Result<Outcome, Rejection> {
        let name = submission.key.as_ref().map(name_of);
        if let (Some(key), Some(name)) = (&submission.key, &name)
            && let Some(first) =
                staged.keys.get(name).or_else(|| self.keys.get(name, staged.retained_at))
        {
            return first.clone().replay(key);
        }
        let subject = submission.command.subject();
        let subject = subject.and_then(|subject| self.alert_of(subject, staged));
        let step = decide_submission(staged.end, submission, subject, meta)?;
        if let Some(alert) = step.alert {
            staged.put(alert);
        }
        if let Some(event) = step.event {
            staged.end = LogEnd { head: event.position, newest: Some(event.value.at()) };
            staged.events.push(event);
        }
        if let (Some(name), Some(first_use)) = (name, step.first_use) {
            staged.key_order.push(name.clone());
            staged.keys.insert(name, first_use);
        }
        Ok(step.outcome)
    }

    /// Returns the alert that a command refers to, including staged changes.
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
        self.newest = staged.end.newest;
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

    /// Returns a snapshot of the current alerts.
    pub(super) fn alerts(&self) -> Snapshot<Alert> {
        self.alerts.snapshot()
    }

    /// Returns a snapshot of the retained messages.
    pub(super) fn messages(&self) -> Snapshot<ChatMessage> {
        self.messages.snapshot()
    }

    pub(super) fn alert(&self, id: AlertId) -> Option<&Positioned<Alert>> {
        self.alerts.get(id)
    }

    /// Returns one alert, and the page of its retained events that `range` requests.
    pub(super) fn alert_events(
        &self,
        id: AlertId,
        range: &HistoryRange,
    ) -> Result<Option<AlertTimeline>, QueryError> {
        let plan = ScanPlan::new(range, self.head())?;
        let Some(alert) = self.alert(id).cloned() else { return Ok(None) };
        // A page that ends at `before` needs at most one of the later events, to know that there is
        // one. A range of time can exclude that event and admit others.
        let is_only_before =
            range.after.is_none() && range.since.is_none() && range.until.is_none();
        let newest = if is_only_before { *plan.offsets.end() } else { u64::MAX };
        let matches = |event: &Event| range.admits(event.at());
        let items = self.log.events_of(id, newest);
        let events = plan.page_of(items, Event::approximate_bytes, matches);
        let oldest = self.log.events_of(id, 0).next().cloned();
        Ok(Some(AlertTimeline { alert, events, oldest }))
    }

    pub(super) fn summary(&self) -> Summary {
        Summary { position: self.head(), counts: self.alerts.counts() }
    }

    pub(super) fn overdue(&self, deadlines: &Deadlines, limit: usize) -> Vec<Positioned<Alert>> {
        self.alerts.overdue(deadlines, limit)
    }
}

/// Staged changes of one append, to be applied only if no submission of the append is refused.
struct Staged {
    events: Vec<Positioned<Event>>,
    /// End of the log after `events`.
    end: LogEnd,
    /// Time of the retention clock. A key whose lifetime has ended at this time is forgotten.
    retained_at: Timestamp,
    /// Changed alerts, in their state after `events`.
    alerts: HashMap<AlertId, Positioned<Alert>>,
    /// Ids of the unresolved alerts in `alerts`, by dedup key.
    open_keys: HashMap<DedupKey, HashSet<AlertId>>,
    keys: HashMap<Name, FirstUse>,
    key_order: Vec<Name>,
}

impl Staged {
    /// Creates an empty set of changes.
    fn after(end: LogEnd, retained_at: Timestamp) -> Self {
        Self {
            events: Vec::new(),
            end,
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
