//! What goes into [`append`](crate::EventStore::append), and what comes out of it.

use northgate_domain::{Alert, Command, Event, Position, Positioned, Timestamp};

/// A command on its way into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// What is to happen.
    pub command: Command,
    /// Makes a repeat of this submission harmless.
    pub key: Option<IdempotencyKey>,
}

impl From<Command> for Submission {
    fn from(command: Command) -> Self {
        Self { command, key: None }
    }
}

/// A sender's name for one submission, so that sending it again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Whose key it is and for which kind of request; equal values in two scopes are two keys.
    pub scope: String,
    /// What the sender drew.
    pub value: String,
    /// A digest of the decoded command, to notice a key that is used for another one. Absent
    /// where redeliveries of one submission may differ.
    pub fingerprint: Option<Fingerprint>,
}

impl IdempotencyKey {
    /// How long a key is remembered from its first use on, in microseconds: 24 hours.
    pub const LIFETIME_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

    /// Refuses the key if it was first used for another command, with the digest `first`.
    pub fn check(&self, first: Option<Fingerprint>) -> Result<(), Rejection> {
        match (first, self.fingerprint) {
            (Some(first), Some(now)) if first != now => Err(Rejection::KeyReused),
            _ => Ok(()),
        }
    }

    /// A key that was first used at this moment, or before it, is forgotten at the moment `now`,
    /// and the same one is a new key.
    pub const fn forgotten_since(now: Timestamp) -> Timestamp {
        Timestamp::from_unix_micros(now.unix_micros().saturating_sub(Self::LIFETIME_MICROS))
    }
}

/// A digest of a decoded command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// What became of one submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It happened now.
    Appended {
        /// What was kept.
        event: Positioned<Event>,
        /// Where the alert that this is about was raised; the event's own place if it begins an
        /// alert, or is about none.
        raised: Position,
    },
    /// Its key was seen before: nothing was kept now, and this was the first answer.
    Replayed(RecordedOutcome),
    /// It held already: nothing was kept, and this is the state.
    Unchanged(Positioned<Alert>),
}

/// What a submission was answered when it was first seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedOutcome {
    /// It happened.
    Appended {
        /// What was kept.
        event: Positioned<Event>,
        /// As in [`Outcome::Appended`].
        raised: Position,
    },
    /// It held already; this was the state.
    Unchanged(Positioned<Alert>),
}

impl From<RecordedOutcome> for Outcome {
    fn from(answer: RecordedOutcome) -> Self {
        match answer {
            RecordedOutcome::Appended { event, raised } => Self::Appended { event, raised },
            RecordedOutcome::Unchanged(alert) => Self::Unchanged(alert),
        }
    }
}

/// Why a submission was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The rules of the domain say no.
    #[error(transparent)]
    Rule(#[from] northgate_domain::Rejection),
    /// The idempotency key was used before, for another command.
    #[error("the idempotency key was used before for another command")]
    KeyReused,
}
