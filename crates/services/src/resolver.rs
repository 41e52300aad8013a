//! The timer that resolves overdue alerts: those that have expired, and those without an event for
//! longer than their severity allows.

use crate::AlertService;
use enum_map::EnumMap;
use northgate_domain::{
    ActOnAlert, Action, Alert, Clock, Deadlines, NoteText, Operator, Overdue, Positioned, Severity,
    TextError, Timestamp,
};
use northgate_storage::{ReadModel, Unavailable};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Upper bound of alerts in one query of the store.
const MOST: usize = 256;

/// Time without an event after which an alert is resolved, by severity; `None` means never.
pub type QuietFor = EnumMap<Severity, Option<Duration>>;

/// Resolves all overdue alerts at every tick. The timer has no state: each tick queries the store,
/// so a restart loses nothing.
pub struct AlertResolver {
    read_model: Arc<dyn ReadModel>,
    alerts: AlertService,
    quiet_for: QuietFor,
    clock: Arc<dyn Clock>,
    ticks: Interval,
    by: Operator,
    expired: NoteText,
    quiet: NoteText,
}

impl AlertResolver {
    /// Creates a timer that resolves overdue alerts at each of `ticks`. `clock` provides the time
    /// that is compared with deadlines. Missed ticks are skipped.
    pub fn new(
        read_model: Arc<dyn ReadModel>,
        alerts: AlertService,
        quiet_for: QuietFor,
        clock: Arc<dyn Clock>,
        mut ticks: Interval,
    ) -> Result<Self, TextError> {
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Ok(Self {
            read_model,
            alerts,
            quiet_for,
            clock,
            ticks,
            by: Operator::parse("northgate")?,
            expired: NoteText::parse("The expiry time was reached.")?,
            quiet: NoteText::parse("No event came within the quiet time of this severity.")?,
        })
    }

    /// Runs until `stop` is cancelled. If a query fails or the store refuses an action, the timer
    /// tries again at the next tick.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut failing = false;
        while stop.run_until_cancelled(self.ticks.tick()).await.is_some() {
            let Some(done) = stop.run_until_cancelled(self.resolve()).await else { return };
            if let Err(error) = &done
                && !failing
            {
                tracing::warn!(
                    %error,
                    "the store did not return the overdue alerts, so they stay unresolved; \
                     the server keeps trying and logs only the first of several failures in a row"
                );
            }
            failing = done.is_err();
        }
    }

    /// Resolves all alerts that are overdue now.
    async fn resolve(&self) -> Result<(), Unavailable> {
        loop {
            let deadlines = self.deadlines();
            let overdue = self.read_model.overdue(deadlines, MOST).await?;
            let acts: Vec<_> =
                overdue.iter().filter_map(|alert| self.end(&deadlines, alert)).collect();
            let wanted = acts.len();
            let is_meant = |alert: &Alert| deadlines.overdue(alert).is_some();
            let done = self.alerts.act_on_many(acts, is_meant, |_id, done| done.is_ok()).await;
            // After a full page, more alerts may be overdue. An action is refused if its alert has
            // changed meanwhile. If no action succeeded, the next attempt waits for the next tick.
            if wanted < MOST || !done.contains(&true) {
                return Ok(());
            }
        }
    }

    fn deadlines(&self) -> Deadlines {
        let now = self.clock.now();
        let before = |span: Duration| {
            let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
            Timestamp::from_unix_micros(now.unix_micros().saturating_sub(micros))
        };
        Deadlines { now, quiet_since: self.quiet_for.map(|_severity, span| span.map(before)) }
    }

    /// Returns the action that resolves `alert`; `None` if the alert is not overdue. The action
    /// expects the revision of `alert`. If the alert has changed since, `act_on_many` tries again
    /// only if the changed alert is overdue too.
    fn end(&self, deadlines: &Deadlines, alert: &Positioned<Alert>) -> Option<ActOnAlert> {
        let note = match deadlines.overdue(&alert.value)? {
            Overdue::Expired => &self.expired,
            Overdue::Quiet => &self.quiet,
        };
        Some(ActOnAlert {
            alert: alert.value.id,
            action: Action::Resolve,
            by: self.by.clone(),
            note: Some(note.clone()),
            expected: Some(vec![alert.value.revision]),
        })
    }
}
