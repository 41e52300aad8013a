//! The rules: `decide` turns a command and a state into an event, and `evolve` applies an event.
//!
//! Both functions are pure, and all stores use them, so the rules exist only once. A store calls
//! both functions inside its critical section, so two commands on one alert are decided one after
//! the other.

use crate::{
    ActOnAlert, Action, Alert, AlertChange, AlertEvent, AlertId, Attribution, ChatMessage, Command,
    Event, EventMeta, MessageId, Note, Notes, RaiseAlert, Revision, Status,
};

/// Result of an accepted command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The command has an effect: the store appends this event.
    Event(Event),
    /// The command has no effect, for example because the alert already has the requested status.
    /// Nothing is stored. The value is the current alert.
    Unchanged(Alert),
}

/// Reason why a command is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The alert does not exist.
    #[error("there is no alert with the id {}", .0.0)]
    NoSuchAlert(AlertId),
    /// The status of the alert does not allow the action.
    #[error("cannot {} an alert that is {}", .action.name(), .present.status.kind().name())]
    Contradicts {
        /// Requested action.
        action: Action,
        /// Current alert.
        present: Box<Alert>,
    },
    /// The expiry time of the raised alert is not in the future.
    #[error("the expiry time of the alert has already passed")]
    AlreadyOver,
    /// The current revision of the alert is not one of the revisions that the action expects.
    #[error("the alert has changed; its current revision is {}", .present.revision.get())]
    Outdated {
        /// Current alert.
        present: Box<Alert>,
    },
}

/// Decides `command`. `state` is the alert that is the [subject](Command::subject) of the command,
/// or `None` if the command has no subject or the alert does not exist.
pub fn decide(
    state: Option<&Alert>,
    command: &Command,
    meta: EventMeta,
) -> Result<Decision, Rejection> {
    let event = match command {
        Command::RaiseAlert(raise) if raise.is_over_at(meta.clock) => {
            return Err(Rejection::AlreadyOver);
        }
        Command::RaiseAlert(raise) => Event::Alert(match state {
            Some(alert) if is_repeat(alert, raise) => repeated(alert, raise, meta),
            _ => AlertEvent::raised(Alert::raised(raise, meta)),
        }),
        Command::ActOnAlert(act) => {
            let alert = state.ok_or(Rejection::NoSuchAlert(act.alert))?;
            match act_on(alert, act, meta)? {
                Some(event) => Event::Alert(event),
                None => return Ok(Decision::Unchanged(alert.clone())),
            }
        }
        Command::PostMessage(post) => {
            if let (Some(id), None) = (post.alert_id, state) {
                return Err(Rejection::NoSuchAlert(id));
            }
            Event::Chat(ChatMessage {
                id: MessageId(meta.id),
                sender: post.sender.clone(),
                message: post.message.clone(),
                alert_id: post.alert_id,
                sent_at: meta.at,
            })
        }
    };
    Ok(Decision::Event(event))
}

impl Alert {
    /// Creates the alert that a first raise results in.
    pub fn raised(raise: &RaiseAlert, meta: EventMeta) -> Self {
        Self {
            id: AlertId(meta.id),
            revision: Revision::FIRST,
            message: raise.message.clone(),
            location: raise.location.clone(),
            source: raise.source.clone(),
            severity: raise.severity,
            labels: raise.labels.clone(),
            url: raise.url.clone(),
            dedup_key: raise.dedup_key.clone(),
            expires_at: raise.expires_at,
            raised_at: meta.at,
            last_seen: meta.at,
            updated_at: meta.at,
            count: u64::from(raise.times.get()),
            status: Status::Open,
            notes: Notes::default(),
        }
    }
}

/// Returns whether `raise` repeats `alert`: both have the same key and the alert is not resolved.
fn is_repeat(alert: &Alert, raise: &RaiseAlert) -> bool {
    raise.dedup_key.is_some() && raise.dedup_key.as_ref() == alert.open_key()
}

/// Returns the event of a repeat. A repeat never lowers the severity and never makes the expiry
/// time earlier.
fn repeated(alert: &Alert, raise: &RaiseAlert, meta: EventMeta) -> AlertEvent {
    let latest_end = raise.expires_at.max(raise.latest_end);
    let alert = Alert {
        revision: alert.revision.next(),
        severity: alert.severity.max(raise.severity),
        expires_at: alert.expires_at.map(|end| latest_end.map_or(end, |new| new.max(end))),
        last_seen: alert.last_seen.max(meta.at),
        updated_at: meta.at,
        count: alert.count.saturating_add(u64::from(raise.times.get())),
        ..alert.clone()
    };
    AlertEvent { change: AlertChange::Repeated, alert, by: None, note: None }
}

/// Returns the event of an operator's action, or `None` if the action changes nothing.
fn act_on(
    alert: &Alert,
    act: &ActOnAlert,
    meta: EventMeta,
) -> Result<Option<AlertEvent>, Rejection> {
    if act.expected.as_ref().is_some_and(|seen| !seen.contains(&alert.revision)) {
        return Err(Rejection::Outdated { present: Box::new(alert.clone()) });
    }
    let mark = || Attribution { by: act.by.clone(), at: meta.at };
    let (change, status) = match (act.action, &alert.status) {
        (Action::Acknowledge, Status::Open) => {
            (AlertChange::Acknowledged, Status::Acknowledged(mark()))
        }
        (Action::Unacknowledge, Status::Acknowledged(_)) => {
            (AlertChange::Unacknowledged, Status::Open)
        }
        (Action::Resolve, Status::Open | Status::Acknowledged(_)) => {
            let acknowledged = alert.status.acknowledged().cloned();
            (AlertChange::Resolved, Status::Resolved { acknowledged, resolved: mark() })
        }
        (Action::Reopen, Status::Resolved { .. }) => (AlertChange::Reopened, Status::Open),
        (Action::Annotate, status) if act.note.is_some() => {
            (AlertChange::Annotated, status.clone())
        }
        (Action::Annotate, _)
        | (Action::Acknowledge, Status::Acknowledged(_))
        | (Action::Unacknowledge | Action::Reopen, Status::Open)
        | (Action::Resolve, Status::Resolved { .. }) => return Ok(None),
        (Action::Acknowledge | Action::Unacknowledge, Status::Resolved { .. })
        | (Action::Reopen, Status::Acknowledged(_)) => {
            let present = Box::new(alert.clone());
            return Err(Rejection::Contradicts { action: act.action, present });
        }
    };
    let notes = match &act.note {
        Some(text) => {
            alert.notes.with(Note { by: act.by.clone(), text: text.clone(), at: meta.at })
        }
        None => alert.notes.clone(),
    };
    // A reopened alert loses its expiry time, because a time in the past would resolve the alert
    // again.
    let expires_at = alert.expires_at.filter(|_| change != AlertChange::Reopened);
    let alert = Alert {
        revision: alert.revision.next(),
        expires_at,
        updated_at: meta.at,
        status,
        notes,
        ..alert.clone()
    };
    Ok(Some(AlertEvent { change, alert, by: Some(act.by.clone()), note: act.note.clone() }))
}

/// Returns the state of an alert after `event`. The state does not change if `event` is a chat
/// message, belongs to another alert, or is not newer than the state. So the result is the same if
/// a log is replayed twice.
pub fn evolve(state: Option<Alert>, event: &Event) -> Option<Alert> {
    let Event::Alert(AlertEvent { alert, .. }) = event else {
        return state;
    };
    match state {
        Some(current) if current.id != alert.id || current.revision >= alert.revision => {
            Some(current)
        }
        _ => Some(alert.clone()),
    }
}
