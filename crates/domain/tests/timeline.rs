//! Tests of the timeline: every change that the state of an alert shows is either a retained event
//! or a remembered change, and never both.
#![expect(clippy::panic, clippy::unwrap_used, reason = "shared test code may panic, as tests do")]

use northgate_domain::{
    ActOnAlert, Action, Alert, AlertChange, AlertEvent, AlertTimeline, Command, Decision, Epoch,
    Event, EventMeta, HistoryPage, Location, MessageText, NoteText, Notes, Operator, Position,
    Positioned, RaiseAlert, Timestamp, decide,
};
use proptest::prelude::*;
use uuid::Uuid;

/// An action, whether it has a note, and the operator.
type Step = (Action, bool, &'static str);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (
        prop::sample::select(Action::ALL.to_vec()),
        any::<bool>(),
        prop::sample::select(vec!["Anna", "Ben"]),
    );
    prop::collection::vec(step, 0..80)
}

/// Returns the events of an alert that was raised and then changed by these steps. A step that is
/// refused or has no effect creates no event. Event *n* is at `time(n)`, and its note, if it has
/// one, is *n*.
fn life(steps: &[Step], time: fn(u64) -> i64) -> Vec<AlertEvent> {
    let meta =
        |n: u64| EventMeta::new(Uuid::from_u128(n.into()), Timestamp::from_unix_micros(time(n)));
    let message = MessageText::parse("Fire").unwrap();
    let raise = RaiseAlert::new(message, Location::parse("Gate").unwrap());
    let mut events = vec![AlertEvent::raised(Alert::raised(&raise, meta(1)))];
    for (action, has_note, by) in steps {
        let (Some(AlertEvent { alert, .. }), n) = (events.last(), events.len() as u64 + 1) else {
            panic!("no raise")
        };
        let command = Command::ActOnAlert(ActOnAlert {
            alert: alert.id,
            action: *action,
            by: Operator::parse(by).unwrap(),
            note: has_note.then(|| NoteText::parse(&n.to_string()).unwrap()),
            expected: None,
        });
        if let Ok(Decision::Event(Event::Alert(event))) = decide(Some(alert), &command, meta(n)) {
            events.push(event);
        }
    }
    events
}

/// Returns the timeline of an alert with these events, of which the first `trimmed` were trimmed.
fn timeline(events: &[AlertEvent], trimmed: usize) -> AlertTimeline {
    let at = |offset| Position { epoch: Epoch::new(1), offset };
    let positioned = events
        .iter()
        .cloned()
        .zip(1..)
        .map(|(event, offset)| Positioned { position: at(offset), value: Event::Alert(event) });
    let items: Vec<_> = positioned.skip(trimmed).collect();
    let alert = events.last().unwrap().alert.clone();
    AlertTimeline {
        alert: Positioned { position: at(1), value: alert },
        oldest: items.first().cloned(),
        events: HistoryPage {
            position: at(events.len() as u64),
            items,
            has_older: false,
            has_newer: false,
            examined_to: None,
        },
    }
}

/// A change as text: the change, the operator, the note and the time.
fn shown(
    change: AlertChange,
    by: Option<&Operator>,
    note: Option<&NoteText>,
    at: Timestamp,
) -> String {
    let (by, note) = (by.map_or("", Operator::as_str), note.map_or("", NoteText::as_str));
    format!("{} {by} {note} {}", change.name(), at.unix_micros())
}

fn remembered(timeline: &AlertTimeline) -> Vec<String> {
    let changes = timeline.remembered().into_iter();
    changes.map(|change| shown(change.change, change.by, change.note, change.at)).collect()
}

/// Returns the changes of the trimmed events that the newest state still shows.
fn still_shown(events: &[AlertEvent], trimmed: usize) -> Vec<String> {
    let newest = &events.last().unwrap().alert;
    let newest_of = |wanted: AlertChange| {
        let last = events.iter().rposition(|event| event.change == wanted);
        last.filter(|index| *index < trimmed)
    };
    let acknowledged = newest.status.acknowledged().and(newest_of(AlertChange::Acknowledged));
    let resolved = newest.status.resolved().and(newest_of(AlertChange::Resolved));
    let is_retained = |index: usize| {
        let noted = |events: &[AlertEvent]| events.iter().filter(|e| e.note.is_some()).count();
        events.get(index..).is_some_and(|newer| noted(newer) <= Notes::MAX)
    };
    let mut changes = Vec::new();
    for (index, event) in events.iter().enumerate().take(trimmed) {
        let AlertEvent { change, alert, by, note } = event;
        let note = note.as_ref().filter(|_| is_retained(index));
        let is_mark = index == 0 || [acknowledged, resolved].contains(&Some(index));
        if is_mark {
            changes.push(shown(*change, by.as_ref(), note, alert.updated_at));
        } else if note.is_some() {
            changes.push(shown(AlertChange::Annotated, by.as_ref(), note, alert.updated_at));
        }
    }
    changes
}

proptest! {
    #[test]
    fn the_trimmed_changes_that_the_state_shows_are_remembered(steps in steps()) {
        let events = life(&steps, |n| i64::try_from(n).unwrap());
        for trimmed in 0..=events.len() {
            let timeline = timeline(&events, trimmed);
            prop_assert_eq!(remembered(&timeline), still_shown(&events, trimmed));
            prop_assert_eq!(timeline.is_complete(), trimmed == 0);
        }
    }

    #[test]
    fn equal_times_show_no_note_twice_and_lose_none(steps in steps()) {
        let events = life(&steps, |_| 7);
        let all: Vec<_> = events.iter().filter_map(|event| event.note.clone()).collect();
        for trimmed in 0..=events.len() {
            let timeline = timeline(&events, trimmed);
            let remembered = timeline.remembered();
            let mut notes: Vec<_> =
                remembered.iter().filter_map(|change| change.note).cloned().collect();
            let stored: Vec<_> =
                events.iter().skip(trimmed).filter_map(|event| event.note.clone()).collect();
            let expected = stored.len().max(timeline.alert.value.notes.as_slice().len());
            notes.extend(stored);
            notes.sort_by_key(|note| note.as_str().parse::<u64>().unwrap());
            prop_assert_eq!(notes.as_slice(), all.get(all.len() - expected..).unwrap());
            let raises = remembered.iter().filter(|change| change.change == AlertChange::Raised);
            prop_assert_eq!(raises.count(), usize::from(trimmed > 0));
            prop_assert_eq!(timeline.is_complete(), trimmed == 0);
        }
    }
}

#[test]
fn a_page_that_lacks_an_event_is_not_complete() {
    let steps = [(Action::Acknowledge, false, "Anna"), (Action::Resolve, true, "Anna")];
    let mut timeline = timeline(&life(&steps, |_| 7), 0);
    assert!(timeline.is_complete());
    timeline.events.items.remove(1);
    assert!(!timeline.is_complete());
}
