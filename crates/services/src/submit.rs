//! Handing one command to the log, and what may come of it.

use crate::RequestKey;
use northgate_domain::{Alert, Command, Event, Positioned, Rejection as Rule};
use northgate_storage::{AppendError, EventLog, Outcome, RecordedOutcome, Rejection, Submission};

/// What a command led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted<T> {
    /// What was kept: now, or when the key of the request was first seen.
    pub value: T,
    /// Whether it was kept before, so that nothing happened now.
    pub replayed: bool,
}

/// Why a command did not happen, or why that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The command was refused; nothing was kept.
    #[error("the command was refused")]
    Refused(#[source] Rule),
    /// The key of the request was used before, for another command; nothing was stored.
    #[error("the key was used before for another command")]
    KeyReused,
    /// No events are taken now; nothing was kept.
    #[error("no events are taken now")]
    Unavailable,
    /// The events may or may not have been kept.
    #[error("it is not known whether the event was kept")]
    OutcomeUnknown,
    /// The store answered something else than it was asked for.
    #[error("the store gave an answer that does not fit the command")]
    UnexpectedAnswer,
}

impl SubmitError {
    /// The rule that the command broke, if that is why it was refused.
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

/// Tells keys of requests to raise from those of other requests.
pub(crate) const RAISING: &str = "alerts";

/// Appends one command that was sent to `route`, and gives what it led to: now, or when its key
/// was first seen there.
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

/// The alert of an outcome, with the position of its raising.
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
