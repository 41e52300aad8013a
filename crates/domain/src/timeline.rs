//! The history of one alert: its stored events, and the changes that only its state still shows.

use crate::{
    Alert, AlertChange, AlertEvent, Attribution, Event, HistoryPage, Note, NoteText, Operator,
    Positioned, Revision, Timestamp,
};

/// The current state of an alert and a page of its retained events, both as of the position of the
/// page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertTimeline {
    /// The current alert, with the position of its raise.
    pub alert: Positioned<Alert>,
    /// Page of the retained events of the alert, each at its own position.
    pub events: HistoryPage<Event>,
    /// Oldest retained event of the alert, on whichever page; `None` if all events were trimmed.
    pub oldest: Option<Positioned<Event>>,
}

/// A change whose event was trimmed. The state of the alert still shows the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RememberedChange<'a> {
    /// Kind of change: raised, acknowledged, resolved or annotated.
    pub change: AlertChange,
    /// Time of the change.
    pub at: Timestamp,
    /// Operator who made the change; `None` for the raise.
    pub by: Option<&'a Operator>,
    /// Note that the operator added with the change.
    pub note: Option<&'a NoteText>,
}

impl AlertTimeline {
    /// Returns whether every event of the alert is retained. Each event raises the revision by one,
    /// and a log trims its oldest events first. So all events are retained if the oldest retained
    /// one has the first revision. The result is also false if the page lacks an event, for example
    /// because the store cannot decode its record.
    pub fn is_complete(&self) -> bool {
        let revisions = || self.events.items.iter().filter_map(revision_of);
        let mut steps = revisions().zip(revisions().skip(1));
        let oldest = self.oldest.as_ref().and_then(revision_of);
        oldest == Some(Revision::FIRST) && steps.all(|(one, following)| one.next() == following)
    }

    /// Returns the changes that the state of the alert shows and whose events were trimmed, oldest
    /// first. No retained event shows any of these changes again.
    ///
    /// A note is part of the acknowledgement or resolution with the same operator and time. Every
    /// other note is a separate change, because the state does not show which action added it.
    pub fn remembered(&self) -> Vec<RememberedChange<'_>> {
        let TrimmedPart { raised_at, acknowledged, resolved, notes } = self.trimmed_part();
        let mut notes: Vec<_> = notes.iter().collect();
        let mut changes = Vec::new();
        let raised =
            |at| RememberedChange { change: AlertChange::Raised, at, by: None, note: None };
        changes.extend(raised_at.map(raised));
        let marks = [(AlertChange::Acknowledged, acknowledged), (AlertChange::Resolved, resolved)];
        for (change, mark) in marks {
            let Some(Attribution { by, at }) = mark else { continue };
            let note = notes.iter().position(|note| note.by == *by && note.at == *at);
            let note = note.map(|index| &notes.remove(index).text);
            changes.push(RememberedChange { change, at: *at, by: Some(by), note });
        }
        changes.extend(notes.into_iter().map(|Note { by, text, at }| RememberedChange {
            change: AlertChange::Annotated,
            at: *at,
            by: Some(by),
            note: Some(text),
        }));
        changes.sort_by_key(|change| change.at);
        changes
    }

    /// Returns the part of the state that was set by trimmed events. The oldest retained event
    /// contains the state after it, so this state shows which part is older. Times cannot show it,
    /// because several events can have the same time.
    fn trimmed_part(&self) -> TrimmedPart<'_> {
        let alert = &self.alert.value;
        let (acknowledged, resolved) = (alert.status.acknowledged(), alert.status.resolved());
        let notes = alert.notes.as_slice();
        let Some(Positioned { value: Event::Alert(oldest), .. }) = &self.oldest else {
            return TrimmedPart { raised_at: Some(alert.raised_at), acknowledged, resolved, notes };
        };
        let AlertEvent { change, alert: then, note, .. } = oldest;
        let notes_before = notes_up_to(then).saturating_sub(u64::from(note.is_some()));
        let trimmed_notes = notes_before.saturating_sub(alert.notes.dropped());
        let trimmed_notes = usize::try_from(trimmed_notes).unwrap_or(usize::MAX);
        TrimmedPart {
            raised_at: (then.revision > Revision::FIRST).then_some(alert.raised_at),
            acknowledged: acknowledged.filter(|mark| {
                *change != AlertChange::Acknowledged && then.status.acknowledged() == Some(*mark)
            }),
            resolved: resolved.filter(|mark| {
                *change != AlertChange::Resolved && then.status.resolved() == Some(*mark)
            }),
            notes: notes.get(..trimmed_notes).unwrap_or(notes),
        }
    }
}

/// Part of the state of an alert that was set by trimmed events.
struct TrimmedPart<'a> {
    raised_at: Option<Timestamp>,
    acknowledged: Option<&'a Attribution>,
    resolved: Option<&'a Attribution>,
    notes: &'a [Note],
}

fn revision_of(event: &Positioned<Event>) -> Option<Revision> {
    match &event.value {
        Event::Alert(AlertEvent { alert, .. }) => Some(alert.revision),
        Event::Chat(_) => None,
    }
}

/// Returns the number of notes that were ever added to the alert, including dropped ones.
fn notes_up_to(alert: &Alert) -> u64 {
    alert.notes.dropped().saturating_add(alert.notes.as_slice().len() as u64)
}
