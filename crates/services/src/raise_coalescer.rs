//! Repeats of one alert that come close together: they are gathered before they get a place in the
//! log, so that neither the log nor anybody's stream sees more than some ten of them a second.

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

/// Lets one append per key through, and gathers what comes meanwhile into the next.
///
/// A lane per key that was raised a moment ago is owned by a task of its own; the map of them is
/// behind one mutex, which is held for moments and never across an await. What finds no room, among
/// the lanes or among all who wait, is appended as it is: a store that stalls gathers no crowd here.
#[derive(Clone)]
pub struct RaiseCoalescer(Arc<Shared>);

struct Shared {
    log: Arc<dyn EventLog>,
    window: Duration,
    lanes: Mutex<HashMap<DedupKey, Lane>>,
    /// One for each who may wait, in whichever lane.
    permits: Arc<Semaphore>,
    /// Where the lanes' tasks run, whoever raises: a thread that ends must not take a lane with it.
    runtime: Handle,
    tasks: TaskTracker,
    flushed: CancellationToken,
}

/// What waits for the next append of one key.
struct Lane {
    gathered: Option<Gathered>,
    /// How bad the alert is, as far as is known: at least what was handed to the store last.
    severity: Severity,
    /// Told when something worse waits.
    urgent: Arc<Notify>,
}

/// One command of many, and who is to be told what came of it.
struct Gathered {
    raise: RaiseAlert,
    askers: Vec<Asker>,
}

/// Somebody who waits, and where.
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

    /// Keeps it, and answers everyone with the alert as it is then. Gives how bad that is.
    async fn append(self, log: &dyn EventLog) -> Option<Severity> {
        let answer = append(log, self.raise).await;
        let severity = answer.as_ref().ok().map(|alert| alert.value.severity);
        for asker in self.askers {
            // Whoever has gone away has raised it all the same.
            let _ = asker.answer.send(answer.clone());
        }
        severity
    }
}

/// Makes one command of two, which leads to what the two lead to one after the other: the first one
/// begins an alert, if none is there, and the other is a repeat.
fn add(first: &mut RaiseAlert, repeat: &RaiseAlert) {
    first.severity = first.severity.max(repeat.severity);
    first.times = first.times.saturating_add(repeat.times.get());
    let latest_end = repeat.expires_at.max(repeat.latest_end);
    first.expires_at = first.expires_at.map(|end| latest_end.map_or(end, |new| new.max(end)));
    first.latest_end = first.latest_end.max(latest_end);
}

impl RaiseCoalescer {
    /// The time for which repeats are gathered, if nobody says otherwise.
    pub const WINDOW: Duration = Duration::from_millis(100);

    /// The most lanes at a time, and the most who wait in all of them together. Those who asked may
    /// have gone away, so the number of connections is no limit to either.
    pub const MOST: usize = 4_096;

    /// Appends to `log`, and gathers for `window`, with tasks on `runtime`. An empty window gathers
    /// only what comes while an append is under way.
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

    /// Raises an alert that has a key, now or together with others, and gives it as it stands
    /// afterwards. Who stops waiting has raised it all the same.
    pub(crate) async fn raise(&self, raise: RaiseAlert) -> RaiseResult {
        match self.hand_over(raise) {
            // A task that is gone has left with the runtime, or with a bug of the store.
            Ok(answer) => answer.await.unwrap_or(Err(SubmitError::OutcomeUnknown)),
            Err(raise) => append(self.0.log.as_ref(), raise).await,
        }
    }

    /// From now on nothing waits for more of its kind. Returns once everything that waited is
    /// answered.
    pub(crate) async fn flush(&self) {
        self.0.flushed.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Puts it into the lane of its key, and gives where its answer will come; or gives it back if
    /// it is not to wait for others.
    #[expect(clippy::result_large_err, reason = "what is given back is no error and goes on")]
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

/// A lane, for the task that owns it. However that ends, the lane ends with it, and who waits in it
/// is told.
struct OwnLane {
    coalescer: RaiseCoalescer,
    key: DedupKey,
    urgent: Arc<Notify>,
}

impl OwnLane {
    /// The task of one lane: it ends when nothing came for a window.
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

    /// Notes how bad the alert is: milder than what was handed over before, if that one was
    /// resolved and another has begun.
    fn stands_at(&self, severity: Severity) {
        let mut lanes = self.coalescer.0.lanes.lock();
        let Some(lane) = lanes.get_mut(&self.key) else { return };
        lane.severity = severity;
        if lane.gathered.as_ref().is_some_and(|gathered| gathered.raise.severity > severity) {
            lane.urgent.notify_one();
        }
    }

    /// What was gathered; a lane in which nothing waits is gone with this.
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
        // It may be gone already, and another task have begun one for the same key.
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
        // Before every end: what is over already is refused before it is gathered.
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
            // It is one event and not so many.
            let revision = found.revision;
            prop_assert_eq!(Some(found), expected.map(|alert| Alert { revision, ..alert }));
        }
    }
}
