//! Commands for tests, with fixed values for every field that is not a parameter.

use northgate_domain::{
    ActOnAlert, Action, AlertId, Command, Event, Location, MessageText, Operator, PostMessage,
    RaiseAlert, Sender,
};
use northgate_storage::{Fingerprint, IdempotencyKey, Outcome, Submission};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Returns an alert at the North Gate with this message and defaults in all other fields.
pub fn raise_alert(message: &str) -> RaiseAlert {
    RaiseAlert::new(MessageText::parse(message).unwrap(), Location::parse("North Gate").unwrap())
}

/// Returns a submission that raises an alert at the North Gate.
pub fn raise(message: &str) -> Submission {
    Command::RaiseAlert(raise_alert(message)).into()
}

/// Returns a submission that raises an alert at `location`.
pub fn raise_at(location: &str, message: &str) -> Submission {
    let location = Location::parse(location).unwrap();
    Command::RaiseAlert(RaiseAlert { location, ..raise_alert(message) }).into()
}

/// Returns an action by Anna on any revision of an alert, without a note.
pub fn act_on_alert(alert: AlertId, action: Action) -> ActOnAlert {
    let by = Operator::parse("Anna").unwrap();
    ActOnAlert { alert, action, by, note: None, expected: None }
}

/// Returns a submission of an action by Anna.
pub fn act(alert: AlertId, action: Action) -> Submission {
    Command::ActOnAlert(act_on_alert(alert, action)).into()
}

/// Returns a submission of a chat message by Ben that refers to no alert.
pub fn say(message: &str) -> Submission {
    let (sender, message) = (Sender::parse("Ben").unwrap(), MessageText::parse(message).unwrap());
    Command::PostMessage(PostMessage { sender, message, alert_id: None }).into()
}

/// Returns the submission with an idempotency key. Equal commands have equal fingerprints.
pub fn keyed(value: &str, submission: Submission) -> Submission {
    let mut hasher = DefaultHasher::new();
    format!("{:?}", submission.command).hash(&mut hasher);
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&hasher.finish().to_be_bytes());
    let (scope, value) = ("alerts".to_owned(), value.to_owned());
    let key = IdempotencyKey { scope, value, fingerprint: Some(Fingerprint(digest)) };
    Submission { key: Some(key), ..submission }
}

/// Returns the id of the alert in an appended event.
pub fn alert_of(outcome: &Outcome) -> AlertId {
    match outcome {
        Outcome::Appended { event, .. } => match &event.value {
            Event::Alert(event) => event.alert.id,
            Event::Chat(_) => panic!("{outcome:?}"),
        },
        _ => panic!("{outcome:?}"),
    }
}
