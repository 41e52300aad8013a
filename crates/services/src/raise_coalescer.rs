//! Coalescing of repeats: repeats of one alert within a short time are gathered into one event, so
//! that the log and each stream receive at most about ten events per second of one alert.

use crate::submit::{RAISING, SubmitError, alert_of, submit};
use northgate_domain::{Alert, Command, DedupKey, Positioned, RaiseAlert, Severity};
use northgate_storage::EventLog;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

type RaiseResult = Result<Positioned<Alert>, SubmitError>;

/// Runs one append per dedup key at a time, and gathers the raises that arrive meanwhile into the
/// next append.
///
/// Each dedup key with a recent raise has a lane, and each lane has its own task. One mutex
/// protects the map of lanes. The mutex is held only briefly and never across an await. The number
/// of lanes and the number of waiting raises are limited. A raise beyond one of these limits is
/// appended on its own, so a stalled store cannot make the queue of waiting raises grow without
/// limit.
#[derive(Clone)]
pub struct RaiseCoalescer(Arc<Shared>);

struct Shared {
    log: Arc<dyn EventLog>,
    window: Duration,
    lanes: Mutex<HashMap<DedupKey, Lane>>,
    /// One permit for each waiting raise, in all lanes together.
    permits: Arc<Semaphore>,
    /// Runtime for the tasks of all lanes. This is not the runtime of the thread that raises,
    /// because a lane must continue after the worker thread of its first raise has ended.
    runtime: Handle,
    tasks: TaskTracker,
    flushed: CancellationToken,
}

/// The raises that wait for the next append of one key.
struct Lane {
    gathered: Option<Gathered>,
    /// Last known severity of the alert, at least the severity of the last raise that was passed to
    /// the store.
    severity: Severity,
    /// Notified when a raise with a higher severity waits.
    urgent: Arc<Notify>,
}

/// One command that merges several raises, and the callers that wait for its result.
struct Gathered {
    raise: RaiseAlert,
    askers: Vec<Asker>,
}

/// A waiting caller: the channel for its result, and its permit.
struct Asker {
    answer: oneshot::Sender<RaiseResult>,
    _permit: OwnedSemaphorePermit,
}

impl Gathered {
    fn new(raise: RaiseAlert, asker: Asker) -> Self {
        Self { raise, askers: vec![asker] }
    }

    fn add(&mut self, raise: &RaiseAlert, asker: Asker) {
        add(&mut self.raise, raise);
        self.askers.push(asker);
    }

    /// Appends the command and sends the resulting alert to every waiting caller. Returns the
    /// severity of that alert.
    async fn append(self, log: &dyn EventLog) -> Option<Severity> {
        let answer = append(log, self.raise).await;
        let severity = answer.as_ref().ok().map(|alert| alert.value.severity);
        for asker in self.askers {
            // The send fails if the caller has stopped waiting. Its alert is raised nevertheless.
            let _ = asker.answer.send(answer.clone());
        }
        severity
    }
}

/// Merges `repeat` into `first`. The merged command has the same result as the two raises in
/// sequence, where the first creates an alert if there is none, and the second is a repeat.
fn add(first: &mut RaiseAlert, repeat: &RaiseAlert) {
    first.severity = first.severity.max(repeat.severity);
    first.times = first.times.saturating_add(repeat.times.get());
    let latest_end = repeat.expires_at.max(repeat.latest_end);
    first.expires_at = first.expires_at.map(|end| latest_end.map_or(end, |new| new.max(end)));
    first.latest_end = first.latest_end.max(latest_end);
}

impl RaiseCoalescer {
    /// Default time for which repeats are gathered: 100 ms.
    pub const WINDOW: Duration = Duration::from_millis(100);

    /// Upper bound of lanes, and of raises that wait in all lanes together. The number of
    /// connections does not limit the waiting raises, because a raise continues to wait after its
    /// caller has disconnected.
    pub const MOST: usize = 4_096;

    /// Creates a coalescer that appends to `log`. The coalescer gathers raises for the time
    /// `window`, and runs its tasks on `runtime`. If `window` is zero, it gathers only the raises
    /// that arrive during an append.
    pub fn new(log: Arc<dyn EventLog>, window: Duration, runtime: Handle) -> Self {
        Self(Arc::new(Shared {
            log,
            window,
            lanes: Mutex::default(),
            permits: Arc::new(Semaphore::new(Self::MOST)),
            runtime,
            tasks: TaskTracker::new(),
            flushed: CancellationToken::new(),
        }))
    }

    /// Raises an alert with a dedup key, alone or together with others, and returns the alert after
    /// the append. If the caller drops the future, the alert may be raised nevertheless.
    pub(crate) async fn raise(&self, raise: RaiseAlert) -> RaiseResult {
        match self.hand_over(raise) {
            // The task of the lane ended without a result: the runtime was stopped, or the store
            // panicked.
            Ok(answer) => answer.await.unwrap_or(Err(SubmitError::OutcomeUnknown)),
            Err(raise) => append(self.0.log.as_ref(), raise).await,
        }
    }

    /// Stops all waiting: gathered raises are appended immediately, and later ones are appended on
    /// their own. Returns when every waiting caller has its result.
    pub(crate) async fn flush(&self) {
        self.0.flushed.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Adds a raise to the lane of its key and returns the receiver of its result. Returns the
    /// raise as the error if the caller must append it on its own.
    #[expect(
        clippy::result_large_err,
        reason = "the returned raise is not an error: the caller appends it"
    )]
    fn hand_over(&self, raise: RaiseAlert) -> Result<oneshot::Receiver<RaiseResult>, RaiseAlert> {
        let Some(key) = raise.dedup_key.clone() else { return Err(raise) };
        if self.0.flushed.is_cancelled() {
            return Err(raise);
        }
        let Ok(permit) = self.0.permits.clone().try_acquire_owned() else { return Err(raise) };
        let (answer, answered) = oneshot::channel();
        let asker = Asker { answer, _permit: permit };
        let mut lanes = self.0.lanes.lock();
        if let Some(lane) = lanes.get_mut(&key) {
            if raise.severity > lane.severity {
                lane.urgent.notify_one();
            }
            match &mut lane.gathered {
                Some(gathered) => gathered.add(&raise, asker),
                None => lane.gathered = Some(Gathered::new(raise, asker)),
            }
            return Ok(answered);
        }
        if lanes.len() >= Self::MOST {
            return Err(raise);
        }
        let urgent = Arc::new(Notify::new());
        let severity = raise.severity;
        lanes.insert(key.clone(), Lane { gathered: None, severity, urgent: urgent.clone() });
        drop(lanes);
        let lane = OwnLane { coalescer: self.clone(), key, urgent };
        self.0.tasks.spawn_on(lane.run(Gathered::new(raise, asker)), &self.0.runtime);
        Ok(answered)
    }
}

/// The task's handle of its lane. When the task ends, also by a panic, the drop of this handle
/// removes the lane, and the callers that wait in the lane receive an error.
struct OwnLane {
    coalescer: RaiseCoalescer,
    key: DedupKey,
    urgent: Arc<Notify>,
}

impl OwnLane {
    /// Runs the task of one lane. The task ends after a window without a raise.
    async fn run(self, first: Gathered) {
        let shared = &self.coalescer.0;
        let mut next = first;
        loop {
            let due = Instant::now() + shared.window;
            if let Some(severity) = next.append(shared.log.as_ref()).await {
                self.stands_at(severity);
            }
            tokio::select! {
                () = sleep_until(due) => {}
                () = self.urgent.notified() => {}
                () = shared.flushed.cancelled() => {}
            }
            match self.take() {
                Some(gathered) => next = gathered,
                None => return,
            }
        }
    }

    /// Records the severity of the alert. This severity can be lower than the recorded one, if the
    /// alert was resolved and the last raise created another alert.
    fn stands_at(&self, severity: Severity) {
        let mut lanes = self.coalescer.0.lanes.lock();
        let Some(lane) = lanes.get_mut(&self.key) else { return };
        lane.severity = severity;
        if lane.gathered.as_ref().is_some_and(|gathered| gathered.raise.severity > severity) {
            lane.urgent.notify_one();
        }
    }

    /// Takes the gathered raises out of the lane. If there are none, removes the lane.
    fn take(&self) -> Option<Gathered> {
        let mut lanes = self.coalescer.0.lanes.lock();
        let lane = lanes.get_mut(&self.key)?;
        let gathered = lane.gathered.take();
        match &gathered {
            Some(gathered) => lane.severity = lane.severity.max(gathered.raise.severity),
            None => {
                lanes.remove(&self.key);
            }
        }
        gathered
    }
}

impl Drop for OwnLane {
    fn drop(&mut self) {
        let mut lanes = self.coalescer.0.lanes.lock();
        // The lane may have been removed already, and another task may own a new lane for the same
        // key.
        if lanes.get(&self.key).is_some_and(|lane| Arc::ptr_eq(&lane.urgent, &self.urgent)) {
            lanes.remove(&self.key);
        }
    }
}

async fn append(log: &dyn EventLog, raise: RaiseAlert) -> RaiseResult {
    let kept = submit(log, RAISING, Command::RaiseAlert(raise), None).await?;
    alert_of(kept.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use northgate_domain::{Decision, Event, EventMeta, Location, MessageText, Timestamp, decide};
    use proptest::prelude::*;
    use uuid::Uuid;

    fn raise() -> impl Strategy<Value = RaiseAlert> {
        let end = proptest::option::of((0..5_i64).prop_map(Timestamp::from_unix_micros));
        ("[a-c]", 0..4_usize, end).prop_map(|(message, severity, expires_at)| RaiseAlert {
            severity: Severity::ALL[severity],
            expires_at,
            dedup_key: Some(DedupKey::parse("k").unwrap()),
            ..RaiseAlert::new(MessageText::parse(&message).unwrap(), Location::parse("x").unwrap())
        })
    }

    fn raised(before: Option<&Alert>, raise: &RaiseAlert) -> Alert {
        // This time is earlier than every expiry time, because an expired raise is refused before
        // it is gathered.
        let stamp = EventMeta::new(Uuid::nil(), Timestamp::from_unix_micros(-1));
        match decide(before, &Command::RaiseAlert(raise.clone()), stamp) {
            Ok(Decision::Event(Event::Alert(event))) => event.alert,
            other => panic!("{other:?}"),
        }
    }

    proptest! {
        #[test]
        fn a_coalesced_raise_equals_its_raises_applied_one_by_one(
            before in proptest::option::of(raise()),
            raises in proptest::collection::vec(raise(), 1..6),
        ) {
            let before = before.map(|before| raised(None, &before));
            let mut expected = before.clone();
            for raise in &raises {
                expected = Some(raised(expected.as_ref(), raise));
            }
            let (first, coalescer) = raises.split_first().unwrap();
            let mut gathered = first.clone();
            for repeat in coalescer {
                add(&mut gathered, repeat);
            }
            let found = raised(before.as_ref(), &gathered);
            // The merged raise is one event, so only the revision differs.
            let revision = found.revision;
            prop_assert_eq!(Some(found), expected.map(|alert| Alert { revision, ..alert }));
        }
    }
}
