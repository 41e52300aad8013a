//! The timer that ends alerts by themselves: those that have expired, and those of which nothing
//! was heard for as long as one of their severity may be quiet.

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

/// The most alerts that are asked for at once.
const MOST: usize = 256;

/// For how long alerts may be quiet, by severity; `None` is for ever.
pub type QuietFor = EnumMap<Severity, Option<Duration>>;

/// Resolves, at every tick, what is to end. It asks the store each time and remembers nothing, so
/// a restart changes nothing.
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
    /// A timer that looks at each of `ticks`, by `clock`. Ticks that were missed are not made up
    /// for.
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
            expired: NoteText::parse("It has expired.")?,
            quiet: NoteText::parse("Nothing was heard of it for long enough.")?,
        })
    }

    /// Runs until `stop` is cancelled. What the store does not answer or take is tried again at the
    /// next tick.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut failing = false;
        while stop.run_until_cancelled(self.ticks.tick()).await.is_some() {
            let Some(done) = stop.run_until_cancelled(self.resolve()).await else { return };
            if let Err(error) = &done
                && !failing
            {
                tracing::warn!(%error, "alerts that are to end cannot be looked for");
            }
            failing = done.is_err();
        }
    }

    /// Resolves everything that is to end now.
    async fn resolve(&self) -> Result<(), Unavailable> {
        loop {
            let deadlines = self.deadlines();
            let overdue = self.read_model.overdue(deadlines, MOST).await?;
            let acts: Vec<_> =
                overdue.iter().filter_map(|alert| self.end(&deadlines, alert)).collect();
            let wanted = acts.len();
            let is_meant = |alert: &Alert| deadlines.overdue(alert).is_some();
            let done = self.alerts.act_on_many(acts, is_meant, |_id, done| done.is_ok()).await;
            // One that is refused has been heard of meanwhile. If nothing was done, the next tick
            // is soon enough.
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

    /// The end of an alert as it was seen. It must not end what has been heard of since.
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
