//! Filters that select the events of a stream, by event type and by fields of the alert.

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
    /// All event types.
    pub const ALL: [Self; 3] = [Self::Alert, Self::AlertUpdate, Self::Chat];

    /// Returns the name of the type on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::AlertUpdate => "alert_update",
            Self::Chat => "chat",
        }
    }

    /// Returns the type with this name, or `None` if no type has this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns the type under which an event is sent.
    pub const fn of(event: &Event) -> Self {
        match event {
            Event::Alert(event) => match event.change {
                AlertChange::Raised => Self::Alert,
                _ => Self::AlertUpdate,
            },
            Event::Chat(_) => Self::Chat,
        }
    }

    /// Returns whether a stream sends this type if the filter of the stream names no types. Changes
    /// are sent only on request, because a client that knows only alerts and chat messages would
    /// mistake a change for a new alert.
    pub const fn is_sent_unasked(self) -> bool {
        match self {
            Self::Alert | Self::Chat => true,
            Self::AlertUpdate => false,
        }
    }
}

/// Fields of an event that filters compare. Cloning shares the texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facets {
    /// Type under which the event is sent.
    pub kind: EventType,
    /// Compared fields of the alert; `None` for a chat message.
    pub alert: Option<AlertFacets>,
}

/// Fields of an alert that filters compare. The frame of the alert contains the same texts, so
/// facets at most double the memory of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertFacets {
    /// Location of what happened.
    pub location: Location,
    /// System that raised the alert, if the raise stated a source.
    pub source: Option<Source>,
    /// Current severity.
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

/// Conditions on events. An event matches the filter if it meets every condition (*and*). A
/// condition with several values is met if any of its values matches (*or*). If a condition on
/// alerts has no values, every event meets that condition. If that condition has values, no chat
/// message meets it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Types of events; if empty, the types that are [sent unasked](EventType::is_sent_unasked).
    pub types: Vec<EventType>,
    /// Locations of alerts.
    pub locations: Vec<Location>,
    /// Sources of alerts.
    pub sources: Vec<Source>,
    /// Severities of alerts.
    pub severities: Vec<Severity>,
    /// Labels of alerts, sorted so that labels with the same name are adjacent.
    labels: Vec<Label>,
}

impl EventFilter {
    /// Sets the condition on labels: for each name in `labels`, an alert must have one of the
    /// listed values.
    pub fn set_labels(&mut self, mut labels: Vec<Label>) {
        labels.sort();
        self.labels = labels;
    }

    /// Returns whether the filter has no conditions, and so matches every event that is sent
    /// unasked.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Returns whether an event matches the filter.
    pub fn admits(&self, event: &Event) -> bool {
        self.matches(&event.into())
    }

    /// Returns whether an event with these facets matches the filter. The function does not
    /// allocate.
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

    /// Returns whether the filter has a condition on alerts. If so, no chat message matches.
    fn is_about_alerts(&self) -> bool {
        let Self { types: _, locations, sources, severities, labels } = self;
        let is_open = locations.is_empty() && sources.is_empty() && severities.is_empty();
        !is_open || !labels.is_empty()
    }
}
