//! Arguments and results of [`append`](crate::EventStore::append).

use northgate_domain::{Alert, Command, Event, Position, Positioned, Timestamp};

/// A command to append to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Command to decide.
    pub command: Command,
    /// Key that lets the store recognize a repeat of this submission. A repeat changes nothing.
    pub key: Option<IdempotencyKey>,
}

impl From<Command> for Submission {
    fn from(command: Command) -> Self {
        Self { command, key: None }
    }
}

/// A name that the sender chose for one submission. A second submission with the same key changes
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Kind of the request, for example `alerts` or `messages`. Equal values in two scopes are
    /// different keys.
    pub scope: String,
    /// Value that the sender chose.
    pub value: String,
    /// Digest of the decoded command. The store compares digests to detect that a key is reused for
    /// another command. `None` if redeliveries of one submission may differ.
    pub fingerprint: Option<Fingerprint>,
}

impl IdempotencyKey {
    /// Time for which a key is remembered after its first use, in microseconds: 24 hours.
    pub const LIFETIME_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

    /// Returns [`Rejection::KeyReused`] if the key was first used for another command. `first` is
    /// the digest of the command at the first use.
    pub fn check(&self, first: Option<Fingerprint>) -> Result<(), Rejection> {
        match (first, self.fingerprint) {
            (Some(first), Some(now)) if first != now => Err(Rejection::KeyReused),
            _ => Ok(()),
        }
    }

    /// Returns the time 24 hours before `now`. A key that was first used at or before this time is
    /// forgotten, so it counts as new.
    pub const fn forgotten_since(now: Timestamp) -> Timestamp {
        Timestamp::from_unix_micros(now.unix_micros().saturating_sub(Self::LIFETIME_MICROS))
    }
}

/// Digest of a decoded command, 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// Result of one submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The submission appended an event now.
    Appended {
        /// The appended event.
        event: Positioned<Event>,
        /// Position at which the alert of this event was raised. This is the event's own position
        /// if the event raises an alert or belongs to no alert.
        raised: Position,
    },
    /// The key was used before, so nothing was appended now. This is the outcome of the first use.
    Replayed(RecordedOutcome),
    /// The alert already has the requested state, so nothing was appended. This is the current
    /// alert.
    Unchanged(Positioned<Alert>),
}

/// Outcome of a submission at the first use of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedOutcome {
    /// The submission appended an event.
    Appended {
        /// The appended event.
        event: Positioned<Event>,
        /// As in [`Outcome::Appended`].
        raised: Position,
    },
    /// The alert already had the requested state. This is the alert as it was then.
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

/// Reasons why a submission was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The command breaks a rule of the domain.
    #[error(transparent)]
    Rule(#[from] northgate_domain::Rejection),
    /// The idempotency key was already used for another command.
    #[error("the idempotency key was already used for another command")]
    KeyReused,
}
