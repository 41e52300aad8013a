//! The decision on one submission, which is the same in every store: what to write, what to return,
//! and what to remember.

use crate::{Fingerprint, IdempotencyKey, Outcome, RecordedOutcome, Rejection, Submission};
use northgate_domain::{
    Alert, AlertEvent, Decision, Event, EventMeta, Position, Positioned, Timestamp, decide,
};

/// The first use of an idempotency key. A store saves this value under the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstUse {
    /// Time that the clock showed at the first use; see [`IdempotencyKey::forgotten_since`].
    pub used_at: Timestamp,
    /// Digest of the command, if the key has one.
    pub fingerprint: Option<Fingerprint>,
    /// Outcome of the first use.
    pub outcome: RecordedOutcome,
}

impl FirstUse {
    /// Returns the first outcome as a replay if `key` is used for the same command again, and
    /// otherwise [`Rejection::KeyReused`].
    pub fn replay(self, key: &IdempotencyKey) -> Result<Outcome, Rejection> {
        key.check(self.fingerprint)?;
        Ok(Outcome::Replayed(self.outcome))
    }
}

/// The end of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEnd {
    /// The position of the newest event.
    pub head: Position,
    /// Timestamp of the newest event; `None` in an empty log.
    pub newest: Option<Timestamp>,
}

/// Effects of one submission. The store writes these effects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Event to write at the end of the log.
    pub event: Option<Positioned<Event>>,
    /// Alert to write, in its state after the event and with the position of its raise.
    pub alert: Option<Positioned<Alert>>,
    /// First use to remember under the key of the submission.
    pub first_use: Option<FirstUse>,
    /// Outcome to return to the caller.
    pub outcome: Outcome,
}

/// Decides one submission at the `end` of a log. `subject` is the current state of the alert that
/// [`Command::subject`](northgate_domain::Command::subject) names, including the changes by earlier
/// submissions of the same vector.
///
/// Before the call, the store looks up the key of the submission. If the store remembers the key,
/// it returns [`FirstUse::replay`] instead of calling this function.
pub fn decide_submission(
    end: LogEnd,
    submission: &Submission,
    subject: Option<&Positioned<Alert>>,
    meta: EventMeta,
) -> Result<Step, Rejection> {
    let meta = end.newest.map_or(meta, |newest| meta.not_before(newest));
    let position = end.head.advanced_by(1);
    let decision = decide(subject.map(|alert| &alert.value), &submission.command, meta)?;
    let (recorded, event, alert) = match decision {
        Decision::Unchanged(value) => {
            let position = subject.map_or(position, |alert| alert.position);
            (RecordedOutcome::Unchanged(Positioned { position, value }), None, None)
        }
        Decision::Event(value) => {
            let mut raised = position;
            let mut after = None;
            if let Event::Alert(AlertEvent { alert, .. }) = &value {
                let before = subject.filter(|before| before.value.id == alert.id);
                raised = before.map_or(position, |before| before.position);
                after = Some(Positioned { position: raised, value: alert.clone() });
            }
            let event = Positioned { position, value };
            (RecordedOutcome::Appended { event: event.clone(), raised }, Some(event), after)
        }
    };
    let first_use = submission.key.as_ref().map(|key| FirstUse {
        used_at: meta.clock,
        fingerprint: key.fingerprint,
        outcome: recorded.clone(),
    });
    Ok(Step { event, alert, first_use, outcome: recorded.into() })
}
