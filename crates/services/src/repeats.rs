//! Repeats of one alert that come close together: they are gathered before they get a place in the
//! log, so that neither the log nor anybody's stream sees more than some ten of them a second.

use crate::alerts::{AlertService, alert_of};
use crate::submit::{SubmitError, submit};
use northgate_domain::{Alert, Command, DedupKey, RaiseAlert, Severity, Stamped};
use northgate_storage::EventStore;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

type Answer = Result<Stamped<Alert>, SubmitError>;

/// Lets one append per key through, and gathers what comes meanwhile into the next.
///
/// A lane per key that was raised a moment ago is owned by a task of its own; the map of them is
/// behind one mutex, which is held for moments and never across an await. What finds no room, in
/// the map or in its lane, is appended as it is: a store that stalls gathers no crowd here.
#[derive(Clone)]
pub struct Repeats(Arc<Shared>);

struct Shared {
    window: Duration,
    lanes: Mutex<HashMap<DedupKey, Lane>>,
    /// Where the lanes' tasks run, whoever raises: a thread that ends must not take a lane with it.
    runtime: Handle,
    tasks: TaskTracker,
    flushed: CancellationToken,
}

/// What waits for the next append of one key.
struct Lane {
    gathered: Option<Gathered>,
    /// The worst that was handed to the store so far.
    worst: Severity,
    /// Told when something worse waits.
    urgent: Arc<Notify>,
}

impl Lane {
    /// How many wait in it.
    fn waiting(&self) -> usize {
        self.gathered.as_ref().map_or(0, |gathered| gathered.askers.len())
    }
}

struct Gathered {
    raise: RaiseAlert,
    askers: Vec<oneshot::Sender<Answer>>,
}

impl Gathered {
    /// One more repeat: what was said last counts, and the worst and longest of everything.
    fn add(&mut self, raise: RaiseAlert, asker: oneshot::Sender<Answer>) {
        let before = &self.raise;
        self.raise = RaiseAlert {
            severity: before.severity.max(raise.severity),
            expires_at: before.expires_at.max(raise.expires_at),
            times: before.times.saturating_add(raise.times.get()),
            ..raise
        };
        self.askers.push(asker);
    }
}

impl Repeats {
    /// The time for which repeats are gathered, if nobody says otherwise.
    pub const WINDOW: Duration = Duration::from_millis(100);

    /// The most lanes at a time, and the most that wait in one. Those who asked may have gone away,
    /// so the number of connections is no limit to either.
    pub const MOST: usize = 16_384;

    /// Gathers for `window`, with tasks on `runtime`. A window of nothing gathers only what comes
    /// while the store is at work.
    pub fn new(window: Duration, runtime: Handle) -> Self {
        Self(Arc::new(Shared {
            window,
            lanes: Mutex::default(),
            runtime,
            tasks: TaskTracker::new(),
            flushed: CancellationToken::new(),
        }))
    }

    /// Raises an alert that has a key, now or together with others, and gives it as it stands
    /// afterwards. Who stops waiting has raised it all the same.
    pub(crate) async fn raise(&self, store: &Arc<dyn EventStore>, raise: RaiseAlert) -> Answer {
        let (asker, answer) = oneshot::channel();
        match self.hand_over(store, raise, asker) {
            Ok(()) => {
                // A task that is gone has left with the runtime.
                answer.await.unwrap_or(Err(SubmitError::OutcomeUnknown))
            }
            Err(raise) => append(store.as_ref(), raise).await,
        }
    }

    /// From now on nothing waits for more of its kind. Returns once everything that waited is
    /// answered.
    pub(crate) async fn flush(&self) {
        self.0.flushed.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Puts it into the lane of its key, or gives it back if it is not to wait for others.
    fn hand_over(
        &self,
        store: &Arc<dyn EventStore>,
        raise: RaiseAlert,
        asker: oneshot::Sender<Answer>,
    ) -> Result<(), RaiseAlert> {
        let Some(key) = raise.dedup_key.clone() else { return Err(raise) };
        if self.0.flushed.is_cancelled() {
            return Err(raise);
        }
        let mut lanes = self.0.lanes.lock();
        if let Some(lane) = lanes.get_mut(&key) {
            if lane.waiting() >= Self::MOST {
                return Err(raise);
            }
            if raise.severity > lane.worst {
                lane.urgent.notify_one();
            }
            match &mut lane.gathered {
                Some(gathered) => gathered.add(raise, asker),
                None => lane.gathered = Some(Gathered { raise, askers: vec![asker] }),
            }
            return Ok(());
        }
        if lanes.len() >= Self::MOST {
            return Err(raise);
        }
        let urgent = Arc::new(Notify::new());
        let worst = raise.severity;
        lanes.insert(key.clone(), Lane { gathered: None, worst, urgent: urgent.clone() });
        drop(lanes);
        let first = Gathered { raise, askers: vec![asker] };
        let run = self.clone().run(store.clone(), key, urgent, first);
        self.0.tasks.spawn_on(run, &self.0.runtime);
        Ok(())
    }

    /// The task of one lane: it ends when nothing came for a window.
    async fn run(
        self,
        store: Arc<dyn EventStore>,
        key: DedupKey,
        urgent: Arc<Notify>,
        first: Gathered,
    ) {
        let mut next = first;
        loop {
            let due = Instant::now() + self.0.window;
            next.append(store.as_ref()).await;
            tokio::select! {
                () = sleep_until(due) => {}
                () = urgent.notified() => {}
                () = self.0.flushed.cancelled() => {}
            }
            match self.take(&key) {
                Some(gathered) => next = gathered,
                None => return,
            }
        }
    }

    /// What was gathered; a lane in which nothing waits is gone with this.
    fn take(&self, key: &DedupKey) -> Option<Gathered> {
        let mut lanes = self.0.lanes.lock();
        let lane = lanes.get_mut(key)?;
        let gathered = lane.gathered.take();
        match &gathered {
            Some(gathered) => lane.worst = lane.worst.max(gathered.raise.severity),
            None => {
                lanes.remove(key);
            }
        }
        gathered
    }
}

impl Gathered {
    /// Keeps it, and answers everyone with the alert as it is then.
    async fn append(self, store: &dyn EventStore) {
        let answer = append(store, self.raise).await;
        for asker in self.askers {
            // Whoever has gone away has raised it all the same.
            let _ = asker.send(answer.clone());
        }
    }
}

async fn append(store: &dyn EventStore, raise: RaiseAlert) -> Answer {
    let kept = submit(store, AlertService::RAISING, Command::RaiseAlert(raise), None).await?;
    alert_of(store, kept.value).await
}
