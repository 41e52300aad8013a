//! Submission of one command to the log, and the result of the command.

use crate::RequestKey;
use northgate_domain::{Alert, Command, Event, Positioned, Rejection as Rule};
use northgate_storage::{AppendError, EventLog, Outcome, RecordedOutcome, Rejection, Submission};

/// Result of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted<T> {
    /// Result of this request, or of the first request with the same key.
    pub value: T,
    /// Whether the key was used before, so that nothing changed now.
    pub replayed: bool,
}

/// Reasons why a command was not executed, or why its outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The command was refused; nothing was stored.
    #[error("the command was refused")]
    Refused(#[source] Rule),
    /// The key of the request was already used for another command; nothing was stored.
    #[error("the idempotency key was already used for another command")]
    KeyReused,
    /// The store does not accept events now; nothing was stored.
    #[error("the store does not accept events now")]
    Unavailable,
    /// The events may or may not have been stored.
    #[error("the store failed during the write and may have stored the event")]
    OutcomeUnknown,
    /// The store returned an outcome that does not fit the command.
    #[error("the store returned an outcome that does not fit the command")]
    UnexpectedAnswer,
}

impl SubmitError {
    /// Returns the rule that the command broke; `None` for every other error.
    pub const fn broken_rule(&self) -> Option<&Rule> {
        match self {
            Self::Refused(rule) => Some(rule),
            _ => None,
        }
    }
}

impl From<AppendError> for SubmitError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Rejected { rejection: Rejection::Rule(rule), .. } => Self::Refused(rule),
            AppendError::Rejected { rejection: Rejection::KeyReused, .. } => Self::KeyReused,
            AppendError::Unavailable => Self::Unavailable,
            AppendError::OutcomeUnknown => Self::OutcomeUnknown,
        }
    }
}

/// Scope of the idempotency keys of raises.
pub(crate) const RAISING: &str = "alerts";

/// Appends one command that was sent to `route`. Returns the outcome of this command, or the first
/// outcome if `key` was used on this route before.
pub(crate) async fn submit(
    log: &dyn EventLog,
    route: &'static str,
    command: Command,
    key: Option<RequestKey>,
) -> Result<Submitted<RecordedOutcome>, SubmitError> {
    let key = key.map(|key| key.of(route, &command));
    let outcomes = log.append(vec![Submission { command, key }]).await?;
    let (value, replayed) = match outcomes.into_iter().next() {
        Some(Outcome::Appended { event, raised }) => {
            (RecordedOutcome::Appended { event, raised }, false)
        }
        Some(Outcome::Unchanged(alert)) => (RecordedOutcome::Unchanged(alert), false),
        Some(Outcome::Replayed(first)) => (first, true),
        None => return Err(SubmitError::UnexpectedAnswer),
    };
    Ok(Submitted { value, replayed })
}

/// Returns the alert of an outcome, with the position of its raise.
pub(crate) fn alert_of(outcome: RecordedOutcome) -> Result<Positioned<Alert>, SubmitError> {
    match outcome {
        RecordedOutcome::Unchanged(alert) => Ok(alert),
        RecordedOutcome::Appended {
            event: Positioned { value: Event::Alert(event), .. },
            raised,
        } => Ok(Positioned { position: raised, value: event.alert }),
        RecordedOutcome::Appended { event: Positioned { value: Event::Chat(_), .. }, .. } => {
            Err(SubmitError::UnexpectedAnswer)
        }
    }
}
