//! Tests of the rules: the result of each command in each state, with tables and with properties.
#![expect(clippy::panic, clippy::unwrap_used, reason = "shared test code may panic, as tests do")]

use northgate_domain::{
    ActOnAlert, Action, Alert, AlertChange, AlertEvent, AlertId, Command, Decision, DedupKey,
    Event, EventMeta, Location, MessageText, NoteText, Operator, PostMessage, RaiseAlert,
    Rejection, Revision, Sender, Severity, Status, StatusKind, Timestamp, decide, evolve,
};
use proptest::prelude::*;
use std::borrow::Borrow;
use std::num::NonZeroU32;
use uuid::Uuid;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_unix_micros(micros)
}

fn raise(dedup_key: Option<&str>) -> RaiseAlert {
    let message = MessageText::parse("Fire").unwrap();
    let dedup_key = dedup_key.map(|key| DedupKey::parse(key).unwrap());
    RaiseAlert { dedup_key, ..RaiseAlert::new(message, Location::parse("Gate").unwrap()) }
}

fn act(alert: &Alert, action: Action, by: &str) -> ActOnAlert {
    let by = Operator::parse(by).unwrap();
    ActOnAlert { alert: alert.id, action, by, note: None, expected: None }
}

fn note(text: &str) -> NoteText {
    NoteText::parse(text).unwrap()
}

fn meta(n: u64) -> EventMeta {
    EventMeta::new(Uuid::from_u128(n.into()), at(i64::try_from(n).unwrap()))
}

/// Returns the event that a command results in.
fn event(state: Option<&Alert>, command: impl Borrow<Command>, n: u64) -> AlertEvent {
    let command = command.borrow();
    match decide(state, command, meta(n)) {
        Ok(Decision::Event(Event::Alert(event))) => event,
        other => panic!("{command:?} led to {other:?}"),
    }
}

fn raised(raise: RaiseAlert) -> Alert {
    event(None, Command::RaiseAlert(raise), 1).alert
}

/// Returns an alert after these actions by Anna. Each action is one microsecond after the last.
fn after(actions: &[Action]) -> Alert {
    let mut alert = raised(raise(Some("key")));
    for (action, n) in actions.iter().zip(2..) {
        alert = event(Some(&alert), Command::ActOnAlert(act(&alert, *action, "Anna")), n).alert;
    }
    alert
}

#[test]
fn each_action_in_each_status_has_the_listed_result() {
    use Action::{Acknowledge, Annotate, Reopen, Resolve, Unacknowledge};
    use StatusKind::{Acknowledged, Open, Resolved};
    let states = [after(&[]), after(&[Acknowledge]), after(&[Acknowledge, Resolve])];
    for (action, expected) in [
        // New status if the old status is open, acknowledged or resolved. `None` means rejected.
        (Acknowledge, [Some(Acknowledged), Some(Acknowledged), None]),
        (Unacknowledge, [Some(Open), Some(Open), None]),
        (Resolve, [Some(Resolved), Some(Resolved), Some(Resolved)]),
        (Reopen, [Some(Open), None, Some(Open)]),
        (Annotate, [Some(Open), Some(Acknowledged), Some(Resolved)]),
    ] {
        for (state, expected) in states.iter().zip(expected) {
            let before = state.status.kind();
            let command = ActOnAlert { note: Some(note("why")), ..act(state, action, "Ben") };
            let decided = decide(Some(state), &Command::ActOnAlert(command), meta(9));
            match (decided, expected) {
                (Ok(Decision::Event(Event::Alert(event))), Some(next)) => {
                    assert_eq!(event.alert.status.kind(), next, "{action:?} {before:?}");
                    assert!(action.changes().contains(&before), "{action:?} {before:?}");
                    assert_eq!(event.alert.revision.get(), state.revision.get() + 1);
                    assert_eq!(event.by.unwrap().as_str(), "Ben");
                    let notes = event.alert.notes.as_slice();
                    assert_eq!(notes.last().unwrap().text, event.note.unwrap());
                }
                (Ok(Decision::Unchanged(alert)), Some(next)) => {
                    assert_eq!(alert.status.kind(), next, "{action:?} {before:?}");
                    assert!(!action.changes().contains(&before), "{action:?} {before:?}");
                    assert_eq!(&alert, state);
                }
                (Err(Rejection::Contradicts { action: refused, present }), None) => {
                    assert_eq!((refused, present.as_ref()), (action, state));
                    assert!(!action.changes().contains(&before), "{action:?} {before:?}");
                }
                other => panic!("{action:?} from {before:?} led to {other:?}"),
            }
        }
    }
}

#[test]
fn acknowledge_and_resolve_by_others_keep_the_owner() {
    let state = after(&[Action::Acknowledge]);
    let command = Command::ActOnAlert(act(&state, Action::Acknowledge, "Ben"));
    let decided = decide(Some(&state), &command, meta(7));
    assert_eq!(decided, Ok(Decision::Unchanged(state.clone())));
    assert_eq!(state.status.acknowledged().unwrap().by.as_str(), "Anna");

    let resolved =
        event(Some(&state), Command::ActOnAlert(act(&state, Action::Resolve, "Ben")), 8).alert;
    assert_eq!(resolved.status.acknowledged().unwrap().by.as_str(), "Anna");
    assert_eq!(resolved.status.resolved().unwrap().by.as_str(), "Ben");
    let reopened =
        event(Some(&resolved), Command::ActOnAlert(act(&resolved, Action::Reopen, "Ben")), 9).alert;
    assert_eq!(reopened.status, Status::Open);
}

#[test]
fn an_action_on_an_outdated_revision_is_rejected() {
    let state = after(&[Action::Acknowledge]);
    for action in Action::ALL {
        let outdated = ActOnAlert {
            expected: Some(vec![Revision::FIRST]),
            note: Some(note("x")),
            ..act(&state, action, "Ben")
        };
        let present = Box::new(state.clone());
        let decided = decide(Some(&state), &Command::ActOnAlert(outdated.clone()), meta(7));
        assert_eq!(decided, Err(Rejection::Outdated { present }));
        let fresh = ActOnAlert { expected: Some(vec![state.revision]), ..outdated };
        let decided = decide(Some(&state), &Command::ActOnAlert(fresh), meta(7));
        assert!(!matches!(decided, Err(Rejection::Outdated { .. })), "{decided:?}");
    }
}

#[test]
fn a_command_on_an_unknown_alert_is_rejected() {
    let id = AlertId(Uuid::from_u128(5));
    let no_such_alert = Err(Rejection::NoSuchAlert(id));
    for action in Action::ALL {
        let by = Operator::parse("Anna").unwrap();
        let act = ActOnAlert { alert: id, action, by, note: Some(note("x")), expected: None };
        assert_eq!(decide(None, &Command::ActOnAlert(act), meta(1)), no_such_alert);
    }
    let post = PostMessage {
        sender: Sender::parse("Anna").unwrap(),
        message: MessageText::parse("hello").unwrap(),
        alert_id: Some(id),
    };
    assert_eq!(decide(None, &Command::PostMessage(post), meta(1)), no_such_alert);
}

#[test]
fn annotate_without_a_note_changes_nothing() {
    let state = after(&[]);
    let command = Command::ActOnAlert(act(&state, Action::Annotate, "Anna"));
    assert_eq!(decide(Some(&state), &command, meta(2)), Ok(Decision::Unchanged(state.clone())));
}

#[test]
fn a_repeat_is_counted_keeps_the_owner_and_never_lowers_severity() {
    let state = after(&[Action::Acknowledge]);
    let worse = RaiseAlert {
        severity: Severity::Critical,
        times: NonZeroU32::new(7).unwrap(),
        ..raise(Some("key"))
    };
    let AlertEvent { change, alert, .. } = event(Some(&state), Command::RaiseAlert(worse), 50);
    assert_eq!(change, AlertChange::Repeated);
    assert_eq!((alert.id, alert.count, alert.severity), (state.id, 8, Severity::Critical));
    assert_eq!((alert.raised_at, alert.last_seen, alert.updated_at), (at(1), at(50), at(50)));
    assert_eq!(alert.status, state.status);

    let milder = RaiseAlert { severity: Severity::Info, ..raise(Some("key")) };
    // The clock was set back.
    let again = event(Some(&alert), Command::RaiseAlert(milder), 40).alert;
    assert_eq!((again.count, again.severity, again.last_seen), (9, Severity::Critical, at(50)));
}

#[test]
fn a_raise_whose_key_has_no_unresolved_alert_creates_an_alert() {
    let open = after(&[]);
    let resolved = after(&[Action::Resolve]);
    let keyless = raised(raise(None));
    for (state, key) in [
        (&resolved, Some("key")),
        (&open, Some("other")),
        (&open, None),
        (&keyless, Some("key")),
        (&keyless, None),
    ] {
        let event = event(Some(state), Command::RaiseAlert(raise(key)), 70);
        assert_eq!(event.change, AlertChange::Raised);
        assert_eq!((event.alert.id.0, event.alert.count), (Uuid::from_u128(70), 1));
    }
}

#[test]
fn a_repeat_can_only_postpone_expiry() {
    for (before, sent, expected) in [
        (Some(10), Some(20), Some(20)),
        (Some(20), Some(10), Some(20)),
        (Some(20), None, Some(20)),
        (None, Some(10), None),
        (None, None, None),
    ] {
        let first = RaiseAlert { expires_at: before.map(at), ..raise(Some("key")) };
        let repeat = RaiseAlert { expires_at: sent.map(at), ..raise(Some("key")) };
        let alert = event(Some(&raised(first)), Command::RaiseAlert(repeat), 5).alert;
        assert_eq!(alert.expires_at, expected.map(at));
    }
}

#[test]
fn a_reopened_alert_has_no_expiry_time() {
    let alert = raised(RaiseAlert { expires_at: Some(at(3)), ..raise(None) });
    let resolved =
        event(Some(&alert), Command::ActOnAlert(act(&alert, Action::Resolve, "northgate")), 4);
    assert_eq!(resolved.alert.expires_at, Some(at(3)));
    let command = Command::ActOnAlert(act(&alert, Action::Reopen, "Anna"));
    assert_eq!(event(Some(&resolved.alert), command, 5).alert.expires_at, None);
}

/// One random command for an alert.
#[derive(Debug, Clone)]
enum Step {
    Raise { key: bool, severity: Severity, times: u32 },
    Act { action: Action, by: u8, note: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let severity = (0..4_usize).prop_map(|at| Severity::ALL.into_iter().nth(at).unwrap());
    let action = (0..5_usize).prop_map(|at| Action::ALL.into_iter().nth(at).unwrap());
    prop_oneof![
        (any::<bool>(), severity, 1..5_u32).prop_map(|(key, severity, times)| Step::Raise {
            key,
            severity,
            times
        }),
        (action, 0..3_u8, any::<bool>()).prop_map(|(action, by, note)| Step::Act {
            action,
            by,
            note
        }),
    ]
}

fn command(alert: &Alert, step: &Step) -> Command {
    match step {
        Step::Raise { key, severity, times } => Command::RaiseAlert(RaiseAlert {
            severity: *severity,
            times: NonZeroU32::new(*times).unwrap(),
            ..raise(key.then_some("key"))
        }),
        Step::Act { action, by, note: wanted } => Command::ActOnAlert(ActOnAlert {
            note: wanted.then(|| note("text")),
            ..act(alert, *action, &format!("Operator {by}"))
        }),
    }
}

proptest! {
    #[test]
    fn an_alert_follows_a_simple_model(steps in proptest::collection::vec(step(), 0..60)) {
        let mut alert = raised(raise(Some("key")));
        // Expected owner, whether resolved, number of raises, severity, number of notes.
        let (mut owner, mut resolved) = (None::<u8>, false);
        let (mut count, mut severity, mut notes) = (1, Severity::Warning, 0);
        for (step, n) in steps.iter().zip(2..) {
            let command = command(&alert, step);
            let decided = decide(Some(&alert), &command, meta(n));
            prop_assert_eq!(&decide(Some(&alert), &command, meta(n)), &decided, "decide is pure");
            let has_effect = match *step {
                Step::Raise { key, .. } if !key || resolved => {
                    // The raise creates a new alert and does not change this alert.
                    let Ok(Decision::Event(event)) = decided else { panic!("{decided:?}") };
                    prop_assert_eq!(evolve(Some(alert.clone()), &event), Some(alert.clone()));
                    continue;
                }
                Step::Raise { severity: sent, times, .. } => {
                    count += u64::from(times);
                    severity = severity.max(sent);
                    true
                }
                Step::Act { action: Action::Annotate, note, .. } => note,
                Step::Act { action: Action::Acknowledge, by, .. } if owner.is_none() && !resolved => {
                    owner = Some(by);
                    true
                }
                Step::Act { action: Action::Unacknowledge, .. } if owner.is_some() && !resolved => {
                    owner = None;
                    true
                }
                Step::Act { action: Action::Resolve, .. } if !resolved => {
                    resolved = true;
                    true
                }
                Step::Act { action: Action::Reopen, .. } if resolved => {
                    (resolved, owner) = (false, None);
                    true
                }
                Step::Act { .. } => false,
            };
            if let (Step::Act { note: true, .. }, true) = (step, has_effect) {
                notes += 1;
            }
            let before = alert.clone();
            if let Ok(Decision::Event(event)) = &decided {
                alert = evolve(Some(alert), event).unwrap();
                prop_assert_eq!(evolve(Some(alert.clone()), event), Some(alert.clone()));
                prop_assert_eq!(event.at(), meta(n).at);
            }
            prop_assert_eq!(has_effect, alert.revision.get() == before.revision.get() + 1, "{:?}", decided);
            prop_assert!(has_effect || alert == before);
            prop_assert_eq!(alert.is_resolved(), resolved);
            let name = |by: u8| format!("Operator {by}");
            let acknowledged_by = alert.status.acknowledged().map(|mark| mark.by.as_str().to_owned());
            prop_assert_eq!(acknowledged_by, owner.map(name));
            prop_assert_eq!((alert.count, alert.severity), (count, severity));
            let stored = alert.notes.as_slice().len() as u64 + alert.notes.dropped();
            prop_assert_eq!(stored, notes);
        }
    }

    #[test]
    fn events_of_other_alerts_do_not_change_an_alert(steps in proptest::collection::vec(step(), 1..9)) {
        let mine = raised(raise(None));
        let other = event(None, Command::RaiseAlert(raise(None)), 99).alert;
        for step in &steps {
            if let Ok(Decision::Event(event)) = decide(Some(&other), &command(&other, step), meta(100)) {
                prop_assert_eq!(evolve(Some(mine.clone()), &event), Some(mine.clone()));
            }
        }
    }
}
