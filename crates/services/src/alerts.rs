//! Raising alerts, acting on them, and looking at them.

use crate::raise_coalescer::RaiseCoalescer;
use crate::submit::{RAISING, SubmitError, Submitted, alert_of, submit};
use crate::{LookupError, RequestKey};
use futures_util::StreamExt;
use futures_util::stream;
use northgate_domain::{
    ActOnAlert, Alert, AlertId, AlertQuery, Clock, Command, HistoryPage, Positioned, RaiseAlert,
    Rejection, Summary,
};
use northgate_storage::{EventLog, ReadModel, RecordedOutcome};
use std::sync::Arc;

/// The most appends of one caller that are under way at once: enough for a store that keeps many
/// with one write, and not so many that nobody else gets a turn.
const AT_ONCE: usize = 64;

/// How often an action on an alert that was seen is tried before it counts as too late. Whatever
/// happens to one alert comes some ten times a second, and a try takes a commit.
const ATTEMPTS: u32 = 8;

/// The use cases around alerts.
#[derive(Clone)]
pub struct AlertService {
    log: Arc<dyn EventLog>,
    read_model: Arc<dyn ReadModel>,
    coalescer: RaiseCoalescer,
    clock: Arc<dyn Clock>,
}

/// What an action led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acted {
    /// The alert as it stands after it, with the position of its raising.
    pub alert: Positioned<Alert>,
    /// Whether anything happened now; if not, it held already.
    pub changed: bool,
}

impl AlertService {
    /// Tells keys of requests to act from those of other requests.
    const ACTING: &'static str = "actions";

    /// Appends to `log`, of whose state `read_model` answers queries, and gathers repeats with
    /// `coalescer`. `clock` is the one by which the store decides.
    pub fn new(
        log: Arc<dyn EventLog>,
        read_model: Arc<dyn ReadModel>,
        coalescer: RaiseCoalescer,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { log, read_model, coalescer, clock }
    }

    /// Raises an alert. It is kept when this returns, and on its way to every dashboard. Raised
    /// again with the same key, it is the alert as it was then, and nothing happens. A repeat of an
    /// alert that is not over counts that one up; without a key it may be kept together with
    /// others.
    pub async fn raise(
        &self,
        raise: RaiseAlert,
        key: Option<RequestKey>,
    ) -> Result<Submitted<Positioned<Alert>>, SubmitError> {
        if key.is_none() && raise.dedup_key.is_some() {
            // What is gathered is decided together: one that is over must not be among the others.
            if raise.is_over_at(self.clock.now()) {
                return Err(SubmitError::Refused(Rejection::AlreadyOver));
            }
            let alert = self.coalescer.raise(raise).await?;
            return Ok(Submitted { value: alert, replayed: false });
        }
        let command = Command::RaiseAlert(raise);
        let Submitted { value, replayed } =
            submit(self.log.as_ref(), RAISING, command, key).await?;
        let value = alert_of(value)?;
        Ok(Submitted { value, replayed })
    }

    /// Does something about an alert. What came of it is kept when this returns, and on its way to
    /// everyone who asked for changes. Done again with the same key, it is the alert as it was
    /// then, and nothing happens.
    pub async fn act(
        &self,
        act: ActOnAlert,
        key: Option<RequestKey>,
    ) -> Result<Submitted<Acted>, SubmitError> {
        let command = Command::ActOnAlert(act);
        let Submitted { value, replayed } =
            submit(self.log.as_ref(), Self::ACTING, command, key).await?;
        let changed = matches!(value, RecordedOutcome::Appended { .. }) && !replayed;
        let alert = alert_of(value)?;
        Ok(Submitted { value: Acted { alert, changed }, replayed })
    }

    /// Does something about many alerts, each by itself: one that is refused is no reason for the
    /// others. What is meant for an alert as it was seen, and comes too late for that, is done to
    /// the alert as it stands as long as that `is_meant` too. Each result is handed to `report` at
    /// once, and only what that returns is gathered, in the order of `acts`: 1,000 large alerts do
    /// not wait in memory for each other. Who stops waiting stops what was not begun.
    pub async fn act_on_many<T>(
        &self,
        acts: Vec<ActOnAlert>,
        is_meant: impl Fn(&Alert) -> bool + Sync,
        report: impl Fn(AlertId, Result<Acted, SubmitError>) -> T + Sync,
    ) -> Vec<T> {
        let (is_meant, report) = (&is_meant, &report);
        let acts = stream::iter(acts.into_iter().map(|act| async move {
            let id = act.alert;
            report(id, self.act_while(act, is_meant).await)
        }));
        acts.buffered(AT_ONCE).collect().await
    }

    /// Does something about an alert that other things happen to.
    async fn act_while(
        &self,
        mut act: ActOnAlert,
        is_meant: &(impl Fn(&Alert) -> bool + Sync),
    ) -> Result<Acted, SubmitError> {
        let mut attempts = 1;
        loop {
            match self.act(act.clone(), None).await {
                Err(SubmitError::Refused(Rejection::Outdated { present }))
                    if attempts < ATTEMPTS && is_meant(&present) =>
                {
                    attempts += 1;
                    act.expected = Some(vec![present.revision]);
                }
                done => return done.map(|kept| kept.value),
            }
        }
    }

    /// The alerts that match, oldest first.
    pub async fn history(&self, query: AlertQuery) -> Result<HistoryPage<Alert>, LookupError> {
        Ok(self.read_model.alerts(query).await?)
    }

    /// One alert as it stands, if there is one with this id.
    pub async fn find(&self, id: AlertId) -> Result<Option<Positioned<Alert>>, LookupError> {
        Ok(self.read_model.alert(id).await?)
    }

    /// All alerts in numbers.
    pub async fn summary(&self) -> Result<Summary, LookupError> {
        Ok(self.read_model.summary().await?)
    }

    /// Lets no repeat wait any longer, and returns once those that waited are answered: to be
    /// called before the store takes nothing more.
    pub async fn flush(&self) {
        self.coalescer.flush().await;
    }
}
