//! Handing one command to the store, and what may come of it.

use crate::RequestKey;
use northgate_domain::{Command, Rejection as BrokenRule};
use northgate_storage::{AppendError, EventStore, Outcome, RecordedOutcome, Rejection, Submission};

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
    Refused(#[source] Rejection),
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
    pub const fn broken_rule(&self) -> Option<&BrokenRule> {
        match self {
            Self::Refused(Rejection::Rule(rule)) => Some(rule),
            _ => None,
        }
    }
}

/// Appends one command that was sent to `route`, and gives what it led to: now, or when its key
/// was first seen there.
pub(crate) async fn submit(
    store: &dyn EventStore,
    route: &'static str,
    command: Command,
    key: Option<RequestKey>,
) -> Result<Submitted<RecordedOutcome>, SubmitError> {
    let key = key.map(|key| key.of(route, &command));
    let outcomes =
        store.append(vec![Submission { command, key }]).await.map_err(|error| match error {
            AppendError::Rejected { rejection, .. } => SubmitError::Refused(rejection),
            AppendError::Unavailable => SubmitError::Unavailable,
            AppendError::OutcomeUnknown => SubmitError::OutcomeUnknown,
        })?;
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
