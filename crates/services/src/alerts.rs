//! The use cases of alerts: raise an alert, act on alerts, query alerts.

use crate::raise_coalescer::RaiseCoalescer;
use crate::submit::{RAISING, SubmitError, Submitted, alert_of, submit};
use crate::{LookupError, RequestKey};
use futures_util::StreamExt;
use futures_util::stream;
use northgate_domain::{
    ActOnAlert, Alert, AlertId, AlertQuery, AlertTimeline, Clock, Command, HistoryPage,
    HistoryRange, Positioned, RaiseAlert, Rejection, Summary,
};
use northgate_storage::{EventLog, ReadModel, RecordedOutcome};
use std::sync::Arc;

/// Upper bound of concurrent appends of one bulk action. This is enough for a store that commits
/// many appends in one write, and small enough that other callers do not wait long.
const AT_ONCE: usize = 64;

/// Upper bound of attempts of one action, if its alert changes between the attempts. One alert
/// changes about ten times a second, and each attempt needs one commit.
const ATTEMPTS: u32 = 8;

/// Raises alerts, acts on them and queries them.
#[derive(Clone)]
pub struct AlertService {
    log: Arc<dyn EventLog>,
    read_model: Arc<dyn ReadModel>,
    coalescer: RaiseCoalescer,
    clock: Arc<dyn Clock>,
}

/// Result of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acted {
    /// The alert after the action, with the position of its raise.
    pub alert: Positioned<Alert>,
    /// Whether this request changed the alert. False if the alert already had the requested state,
    /// and for a replay.
    pub changed: bool,
}

impl AlertService {
    /// Scope of the idempotency keys of actions.
    const ACTING: &'static str = "actions";

    /// Creates the service. The service appends to `log` and queries `read_model`, which must show
    /// the state of that log. `coalescer` gathers repeats. `clock` must be the clock of the store.
    pub fn new(
        log: Arc<dyn EventLog>,
        read_model: Arc<dyn ReadModel>,
        coalescer: RaiseCoalescer,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { log, read_model, coalescer, clock }
    }

    /// Raises an alert. When this returns, the event is committed, and the server is sending it to
    /// all clients. A second raise with the same `key` changes nothing and returns the alert of the
    /// first raise. A repeat of an unresolved alert increases the count of that alert. A repeat
    /// without a `key` may be stored together with other repeats.
    pub async fn raise(
        &self,
        raise: RaiseAlert,
        key: Option<RequestKey>,
    ) -> Result<Submitted<Positioned<Alert>>, SubmitError> {
        if key.is_none() && raise.dedup_key.is_some() {
            // Gathered raises are decided together, so an expired raise must be refused before it
            // is gathered.
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

    /// Acts on an alert. When this returns, the event is committed, and the server is sending it to
    /// all clients that requested changes. A second action with the same `key` changes nothing and
    /// returns the alert of the first action.
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

    /// Acts on many alerts. Each action is decided separately, so a refused action does not affect
    /// the others. If an alert has changed since the expected revision, and `is_meant` returns true
    /// for the current alert, the action is tried again on the current alert, with at most 8
    /// attempts in total.
    ///
    /// Each result is passed to `report` immediately. The returned vector contains only the return
    /// values of `report`, in the order of `acts`, so that 1,000 large alerts are not in memory at
    /// the same time. If the caller drops the future, actions that have not begun are not
    /// performed.
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

    /// Acts on an alert, and tries again if the alert has changed and `is_meant` returns true for
    /// the changed alert.
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

    /// Returns the matching alerts, oldest first.
    pub async fn history(&self, query: AlertQuery) -> Result<HistoryPage<Alert>, LookupError> {
        Ok(self.read_model.alerts(query).await?)
    }

    /// Returns the current state of one alert; `None` if no alert has this id.
    pub async fn find(&self, id: AlertId) -> Result<Option<Positioned<Alert>>, LookupError> {
        Ok(self.read_model.alert(id).await?)
    }

    /// Returns the current state of one alert and a page of its stored events, from one state of
    /// the store; `None` if no alert has this id.
    pub async fn timeline(
        &self,
        id: AlertId,
        range: HistoryRange,
    ) -> Result<Option<AlertTimeline>, LookupError> {
        Ok(self.read_model.alert_events(id, range).await?)
    }

    /// Returns the counts of all retained alerts, by status and severity.
    pub async fn summary(&self) -> Result<Summary, LookupError> {
        Ok(self.read_model.summary().await?)
    }

    /// Appends all waiting repeats immediately, and returns when their callers have their results.
    /// Later repeats do not wait. Call this before the store stops accepting appends.
    pub async fn flush(&self) {
        self.coalescer.flush().await;
    }
}
