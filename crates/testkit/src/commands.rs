//! Commands as tests append them: only what a test is about differs from one to the next.

use northgate_domain::{
    ActOnAlert, Action, AlertId, Command, Event, Location, MessageText, Operator, PostMessage,
    RaiseAlert, Sender,
};
use northgate_storage::{Fingerprint, IdempotencyKey, Outcome, Submission};
use std::hash::{DefaultHasher, Hash, Hasher};

/// An alert at the North Gate with this message, and every other field by default.
pub fn raise_alert(message: &str) -> RaiseAlert {
    RaiseAlert::new(MessageText::parse(message).unwrap(), Location::parse("North Gate").unwrap())
}

/// Raises an alert at the North Gate.
pub fn raise(message: &str) -> Submission {
    Command::RaiseAlert(raise_alert(message)).into()
}

/// Raises an alert somewhere else.
pub fn raise_at(location: &str, message: &str) -> Submission {
    let location = Location::parse(location).unwrap();
    Command::RaiseAlert(RaiseAlert { location, ..raise_alert(message) }).into()
}

/// Anna's action on an alert, whatever its revision, without a note.
pub fn act_on_alert(alert: AlertId, action: Action) -> ActOnAlert {
    let by = Operator::parse("Anna").unwrap();
    ActOnAlert { alert, action, by, note: None, expected: None }
}

/// Acts on an alert as Anna.
pub fn act(alert: AlertId, action: Action) -> Submission {
    Command::ActOnAlert(act_on_alert(alert, action)).into()
}

/// Posts a chat message that is about no alert.
pub fn say(message: &str) -> Submission {
    let (sender, message) = (Sender::parse("Ben").unwrap(), MessageText::parse(message).unwrap());
    Command::PostMessage(PostMessage { sender, message, alert_id: None }).into()
}

/// The same submission under an idempotency key; equal commands have equal fingerprints.
pub fn keyed(value: &str, submission: Submission) -> Submission {
    let mut hasher = DefaultHasher::new();
    format!("{:?}", submission.command).hash(&mut hasher);
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&hasher.finish().to_be_bytes());
    let (scope, value) = ("alerts".to_owned(), value.to_owned());
    let key = IdempotencyKey { scope, value, fingerprint: Some(Fingerprint(digest)) };
    Submission { key: Some(key), ..submission }
}

/// The alert of an event that was appended.
pub fn alert_of(outcome: &Outcome) -> AlertId {
    match outcome {
        Outcome::Appended { event, .. } => match &event.value {
            Event::Alert(event) => event.alert.id,
            Event::Chat(_) => panic!("{outcome:?}"),
        },
        _ => panic!("{outcome:?}"),
    }
}
