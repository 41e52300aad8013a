//! Which events a stream holds: the types of events, and the conditions that alerts must meet.

use crate::{AlertChange, Event, Label, Labels, Location, Severity, Source};

/// A type of event, as clients name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    /// An alert was raised.
    Alert,
    /// An alert that exists already was changed.
    AlertUpdate,
    /// An operator posted a chat message.
    Chat,
}

impl EventType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Alert, Self::AlertUpdate, Self::Chat];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::AlertUpdate => "alert_update",
            Self::Chat => "chat",
        }
    }

    /// The type that is called `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The type under which an event is sent.
    pub const fn of(event: &Event) -> Self {
        match event {
            Event::Alert(event) => match event.change {
                AlertChange::Raised => Self::Alert,
                _ => Self::AlertUpdate,
            },
            Event::Chat(_) => Self::Chat,
        }
    }

    /// Whether a stream that names no types has these. Changes are for those who ask for them: a
    /// client that knows alerts and chat only would take a change for something new.
    pub const fn is_sent_unasked(self) -> bool {
        match self {
            Self::Alert | Self::Chat => true,
            Self::AlertUpdate => false,
        }
    }
}

/// The parts of an event that filters compare. Cloning shares the texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facets {
    /// The type under which the event is sent.
    pub kind: EventType,
    /// Those of its alert; `None` for a chat message.
    pub alert: Option<AlertFacets>,
}

/// The parts of an alert that filters compare. All of them are in the alert's frame too, so that
/// facets at most double the memory of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertFacets {
    /// Where it happened.
    pub location: Location,
    /// The system that raised the alert, if named.
    pub source: Option<Source>,
    /// How bad it is.
    pub severity: Severity,
    /// Searchable name/value pairs.
    pub labels: Labels,
}

impl From<&Event> for Facets {
    fn from(event: &Event) -> Self {
        let alert = match event {
            Event::Alert(event) => Some(AlertFacets {
                location: event.alert.location.clone(),
                source: event.alert.source.clone(),
                severity: event.alert.severity,
                labels: event.alert.labels.clone(),
            }),
            Event::Chat(_) => None,
        };
        Self { kind: EventType::of(event), alert }
    }
}

/// Conditions on events, joined by *and*; within one, any value matches. A condition without
/// values matches everything. A condition on alerts is met by no chat message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Types of events; without any, those that are [sent unasked](EventType::is_sent_unasked).
    pub types: Vec<EventType>,
    /// Locations of alerts.
    pub locations: Vec<Location>,
    /// Sources of alerts.
    pub sources: Vec<Source>,
    /// Severities of alerts.
    pub severities: Vec<Severity>,
    /// In order, so that the values of one name follow one another.
    labels: Vec<Label>,
}

impl EventFilter {
    /// Sets the condition on labels: an alert must have, of each name, one of the values.
    pub fn set_labels(&mut self, mut labels: Vec<Label>) {
        labels.sort();
        self.labels = labels;
    }

    /// Whether the filter has no condition: it matches what every stream holds.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an event matches.
    pub fn admits(&self, event: &Event) -> bool {
        self.matches(&event.into())
    }

    /// Whether an event with these facets matches. Allocates nothing.
    pub fn matches(&self, facets: &Facets) -> bool {
        let kind = match &self.types[..] {
            [] => facets.kind.is_sent_unasked(),
            types => types.contains(&facets.kind),
        };
        kind && match &facets.alert {
            Some(alert) => self.matches_alert(alert),
            None => !self.is_about_alerts(),
        }
    }

    fn matches_alert(&self, alert: &AlertFacets) -> bool {
        let source = || alert.source.as_ref().is_some_and(|source| self.sources.contains(source));
        (self.locations.is_empty() || self.locations.contains(&alert.location))
            && (self.sources.is_empty() || source())
            && (self.severities.is_empty() || self.severities.contains(&alert.severity))
            && self
                .labels
                .chunk_by(|one, other| one.name == other.name)
                .all(|values| values.iter().any(|label| alert.labels.contains(label)))
    }

    /// Whether only alerts can meet all conditions.
    fn is_about_alerts(&self) -> bool {
        let Self { types: _, locations, sources, severities, labels } = self;
        let is_open = locations.is_empty() && sources.is_empty() && severities.is_empty();
        !is_open || !labels.is_empty()
    }
}
