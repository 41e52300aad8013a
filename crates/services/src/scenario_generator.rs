//! The background task that performs a scenario.

use crate::scenario::{ScenarioCommand, Script};
use crate::{AlertService, SubmitError};
use northgate_domain::{ActOnAlert, AlertId, Clock, RaiseAlert, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Performs the steps of a script, each after its delay. The commands go through the same service
/// as the requests of clients.
pub struct ScenarioGenerator {
    alerts: AlertService,
    clock: Arc<dyn Clock>,
    script: Script,
    /// Ids of the alerts that later commands can name. An alert whose raise failed has no id.
    ids: BTreeMap<u64, AlertId>,
}

impl ScenarioGenerator {
    /// Creates the generator. `clock` provides the time of the raises.
    pub fn new(alerts: AlertService, clock: Arc<dyn Clock>, script: Script) -> Self {
        Self { alerts, clock, script, ids: BTreeMap::new() }
    }

    /// Runs until `stop` is cancelled. If the store does not accept a command, the error is logged,
    /// the other commands of the step are skipped, and the next step follows after a full interval.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut delay = Duration::ZERO;
        for step in 0.. {
            if stop.run_until_cancelled(sleep(delay)).await.is_none() {
                return;
            }
            delay = self.script.delay_before(step + 1);
            if let Err(error) = self.perform(step).await {
                tracing::warn!(
                    %error,
                    "the generator could not perform a step of its scenario; it goes on with the next step"
                );
                delay = delay.max(self.script.interval());
            }
        }
    }

    async fn perform(&mut self, step: u64) -> Result<(), SubmitError> {
        self.ids = self.ids.split_off(&self.script.oldest(step));
        for command in self.script.commands(step) {
            match self.submit(command).await {
                // Another client may have acted on the alert, or the alert has expired.
                Ok(()) | Err(SubmitError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn submit(&mut self, command: ScenarioCommand) -> Result<(), SubmitError> {
        match command {
            ScenarioCommand::Raise { number, alert, expires_after } => {
                let lifetime = i64::try_from(expires_after.as_micros()).unwrap_or(i64::MAX);
                let end = self.clock.now().unix_micros().saturating_add(lifetime);
                let expires_at = Some(Timestamp::from_unix_micros(end));
                let raise = RaiseAlert { expires_at, ..*alert };
                let raised = self.alerts.raise(raise, None).await?;
                self.ids.insert(number, raised.value.value.id);
            }
            ScenarioCommand::Act { number, action, by, note } => {
                let Some(&alert) = self.ids.get(&number) else { return Ok(()) };
                let act = ActOnAlert { alert, action, by, note, expected: None };
                self.alerts.act(act, None).await?;
            }
        }
        Ok(())
    }
}
