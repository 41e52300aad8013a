//! The rules: which command may follow which state, and what state an event leaves behind.
//!
//! Both functions are pure. Every store calls them inside its own critical section, so that the
//! rules exist once and two commands on one alert are decided one after the other.

use crate::{
    Alert, AlertChange, AlertEvent, AlertId, ChatMessage, Command, Event, MessageId, Revision,
    Stamp,
};

/// What a command leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It happens: this event is to be kept.
    Event(Event),
    /// It already holds: nothing is kept, and this is the state.
    Unchanged(Alert),
}

/// Why a command may not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The id that a new alert was to get belongs to another one.
    #[error("an alert with the id {} exists already", .0.0)]
    IdTaken(AlertId),
}

/// Decides `command` against the state of its [subject](Command::subject).
pub fn decide(
    state: Option<&Alert>,
    command: &Command,
    stamp: Stamp,
) -> Result<Decision, Rejection> {
    match command {
        Command::RaiseAlert(raise) => {
            if let Some(taken) = state {
                return Err(Rejection::IdTaken(taken.id));
            }
            let alert = Alert {
                id: AlertId(stamp.id),
                revision: Revision::FIRST,
                message: raise.message.clone(),
                location: raise.location.clone(),
                source: raise.source.clone(),
                raised_at: stamp.at,
            };
            Ok(Decision::Event(Event::Alert(AlertEvent { change: AlertChange::Raised, alert })))
        }
        Command::PostMessage(post) => Ok(Decision::Event(Event::Chat(ChatMessage {
            id: MessageId(stamp.id),
            sender: post.sender.clone(),
            message: post.message.clone(),
            sent_at: stamp.at,
        }))),
    }
}

/// The state of an alert after `event`. An event of another alert, a chat message, or a state
/// that is as new already leaves it as it is, so that replaying a log twice changes nothing.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Location, MessageText, PostMessage, RaiseAlert, Sender, Source, Timestamp};
    use proptest::prelude::*;
    use uuid::Uuid;

    fn message() -> impl Strategy<Value = MessageText> {
        "[a-zé\u{1F6A8}]{1,20}".prop_map(|raw| MessageText::parse(&raw).unwrap())
    }

    fn command() -> impl Strategy<Value = Command> {
        prop_oneof![
            (message(), "[a-z]{1,9}", proptest::option::of("[a-z]{1,9}")).prop_map(
                |(message, location, source)| Command::RaiseAlert(RaiseAlert {
                    message,
                    location: Location::parse(&location).unwrap(),
                    source: source.map(|source| Source::parse(&source).unwrap()),
                })
            ),
            (message(), "[a-z]{1,9}").prop_map(|(message, sender)| {
                Command::PostMessage(PostMessage {
                    sender: Sender::parse(&sender).unwrap(),
                    message,
                })
            }),
        ]
    }

    fn stamp() -> impl Strategy<Value = Stamp> {
        (any::<u128>(), any::<i32>()).prop_map(|(id, at)| Stamp {
            id: Uuid::from_u128(id),
            at: Timestamp::from_unix_micros(i64::from(at)),
        })
    }

    fn event(command: &Command, stamp: Stamp) -> Event {
        match decide(None, command, stamp) {
            Ok(Decision::Event(event)) => event,
            other => panic!("a first command always happens: {other:?}"),
        }
    }

    proptest! {
        #[test]
        fn an_event_carries_its_command_and_its_stamp(command in command(), stamp in stamp()) {
            match (&command, event(&command, stamp)) {
                (Command::RaiseAlert(raise), Event::Alert(AlertEvent { change, alert })) => {
                    prop_assert_eq!(change, AlertChange::Raised);
                    prop_assert_eq!(alert.id, AlertId(stamp.id));
                    prop_assert_eq!(alert.revision, Revision::FIRST);
                    prop_assert_eq!(alert.raised_at, stamp.at);
                    prop_assert_eq!(&alert.message, &raise.message);
                    prop_assert_eq!(&alert.location, &raise.location);
                    prop_assert_eq!(&alert.source, &raise.source);
                }
                (Command::PostMessage(post), Event::Chat(chat)) => {
                    prop_assert_eq!(chat.id, MessageId(stamp.id));
                    prop_assert_eq!(chat.sent_at, stamp.at);
                    prop_assert_eq!(&chat.message, &post.message);
                    prop_assert_eq!(&chat.sender, &post.sender);
                }
                (command, event) => prop_assert!(false, "{:?} led to {:?}", command, event),
            }
        }

        #[test]
        fn deciding_is_pure(command in command(), stamp in stamp()) {
            prop_assert_eq!(decide(None, &command, stamp), decide(None, &command, stamp));
        }

        #[test]
        fn a_raise_never_overwrites_an_alert(first in command(), second in command(), stamp in stamp()) {
            let Some(taken) = evolve(None, &event(&first, stamp)) else { return Ok(()) };
            if let Command::RaiseAlert(_) = second {
                prop_assert_eq!(
                    decide(Some(&taken), &second, stamp),
                    Err(Rejection::IdTaken(taken.id))
                );
            }
        }

        #[test]
        fn replaying_an_event_changes_nothing(command in command(), stamp in stamp()) {
            let event = event(&command, stamp);
            let once = evolve(None, &event);
            prop_assert_eq!(evolve(once.clone(), &event), once);
        }

        #[test]
        fn foreign_events_leave_an_alert_alone(
            (mine, other) in (command(), command()),
            (at, later) in (stamp(), stamp()),
        ) {
            prop_assume!(at.id != later.id);
            let state = evolve(None, &event(&mine, at));
            prop_assume!(state.is_some());
            prop_assert_eq!(evolve(state.clone(), &event(&other, later)), state);
        }
    }
}
