//! Handing one command to the store, and what may come of it.

use northgate_domain::Command;
use northgate_storage::{Answer, AppendError, EventStore, Outcome, Rejection, Submission};

/// Why a command did not happen, or why that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
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

/// Appends one command, and gives what it led to: now, or when its key was first seen.
pub(crate) async fn submit(
    store: &dyn EventStore,
    command: Command,
) -> Result<Answer, SubmitError> {
    let outcomes =
        store.append(vec![Submission::from(command)]).await.map_err(|error| match error {
            AppendError::Rejected { rejection, .. } => SubmitError::Refused(rejection),
            AppendError::Unavailable => SubmitError::Unavailable,
            AppendError::OutcomeUnknown => SubmitError::OutcomeUnknown,
        })?;
    match outcomes.into_iter().next() {
        Some(Outcome::Appended(event)) => Ok(Answer::Appended(event)),
        Some(Outcome::Unchanged(alert)) => Ok(Answer::Unchanged(alert)),
        Some(Outcome::Replayed(first)) => Ok(first),
        None => Err(SubmitError::UnexpectedAnswer),
    }
}
