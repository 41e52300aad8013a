//! What a stream is asked for, over WebSocket and SSE alike: where it begins, and which events it
//! holds.

use crate::conditions::{FieldError, SEVERITY_NAMES, because, parse_label, parse_severities, push};
use crate::fields::FieldErrors;
use crate::position::parse_position;
use northgate_domain::{AlertChange, Event, Label, Labels, Location, Position, Severity, Source};
use utoipa::ToSchema;

/// The most events that `last` may ask for.
pub const LAST_MAX: usize = 1_000;

/// A kind of event, by its name in the `type` member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum EventType {
    /// An alert was raised.
    Alert,
    /// Something happened to an alert that is there already.
    AlertUpdate,
    /// Somebody said something.
    Chat,
}

impl EventType {
    const ALL: [Self; 3] = [Self::Alert, Self::AlertUpdate, Self::Chat];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::AlertUpdate => "alert_update",
            Self::Chat => "chat",
        }
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

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What filters look at in an event. Cloning shares the texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facets {
    /// The type under which it is sent.
    pub kind: EventType,
    /// Those of its alert, if it is an alert's.
    pub alert: Option<AlertFacets>,
}

/// What filters look at in an alert. All of it is in the alert's frame too, so that this at most
/// doubles what a frame holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertFacets {
    /// Where it happened.
    pub location: Location,
    /// Which system raised it, if it gave a name.
    pub source: Option<Source>,
    /// How bad it is.
    pub severity: Severity,
    /// Its labels.
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

/// Where a stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartFrom {
    /// With what happens from now on.
    #[default]
    Now,
    /// With everything after a position.
    After(Position),
    /// With a gap: the client was cut after something that is no position of any log.
    Gap,
    /// With the newest so many events that match, and then what happens from now on.
    Last(usize),
}

/// Which events a stream holds. Its conditions are joined by *and*; within one, any value will do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    types: Option<Vec<EventType>>,
    locations: Option<Vec<Location>>,
    sources: Option<Vec<Source>>,
    severities: Option<Vec<Severity>>,
    /// Of one name any of its values will do; of several names an alert must have them all. In the
    /// order of their names.
    labels: Vec<Label>,
}

impl EventFilter {
    /// Whether nothing is asked for but what every stream has.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an event matches.
    pub fn admits(&self, event: &Event) -> bool {
        self.matches(&event.into())
    }

    /// Whether an event with these facets matches. An event that is no alert's matches no filter
    /// but one on types. Allocates nothing.
    pub fn matches(&self, facets: &Facets) -> bool {
        let kind = match &self.types {
            Some(types) => types.contains(&facets.kind),
            None => facets.kind.is_sent_unasked(),
        };
        kind && match &facets.alert {
            Some(alert) => self.matches_alert(alert),
            None => !self.is_about_alerts(),
        }
    }

    fn matches_alert(&self, alert: &AlertFacets) -> bool {
        let source =
            |wanted: &Vec<_>| alert.source.as_ref().is_some_and(|source| wanted.contains(source));
        self.locations.as_ref().is_none_or(|wanted| wanted.contains(&alert.location))
            && self.sources.as_ref().is_none_or(source)
            && self.severities.as_ref().is_none_or(|wanted| wanted.contains(&alert.severity))
            && self
                .labels
                .chunk_by(|one, other| one.name == other.name)
                .all(|values| values.iter().any(|label| alert.labels.contains(label)))
    }

    /// Whether any condition can be met by alerts only.
    fn is_about_alerts(&self) -> bool {
        let Self { types: _, locations, sources, severities, labels } = self;
        locations.is_some() || sources.is_some() || severities.is_some() || !labels.is_empty()
    }
}

/// What a client asks of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamRequest {
    /// Where to begin.
    pub start: StartFrom,
    /// What to give.
    pub filter: EventFilter,
}

impl StreamRequest {
    /// Whether the client asked for anything, and so is told where it stands. A client that asks
    /// for nothing gets events and nothing else, as it always was.
    pub fn is_announced(&self) -> bool {
        self.start != StartFrom::Now || !self.filter.is_open()
    }

    /// The same from where a browser's `EventSource` was cut (its `Last-Event-ID`), whatever the
    /// query says: a reconnect sends the query as it was at first. An id that is no position leads
    /// to a gap and not to an error: after an error a browser never connects again.
    #[must_use]
    pub fn resumed(mut self, last_event_id: &str) -> Self {
        self.start = parse_position(last_event_id).map_or(StartFrom::Gap, StartFrom::After);
        self
    }

    /// Reads a query string. Every bad value is named, and so is every name that was probably meant
    /// for another one. Other names that nobody knows are ignored.
    pub fn parse(query: &str) -> Result<Self, FieldErrors> {
        let mut reader = Reader::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            reader.take(&name, &value);
        }
        if reader.findings.is_empty() { Ok(reader.settle()) } else { Err(reader.findings) }
    }
}

/// The name under which polyfills of `EventSource` send in the query what a browser sends as the
/// header `Last-Event-ID`, without what they write differently.
const LAST_EVENT_ID: &str = "lasteventid";

/// Names that a stream does not know, but whoever sends them wants what it would not do: each as
/// [`bare`] has it, with what to do instead. `docs/PROTOCOL.md` lists them.
const ADVICE: [(&str, &str); 22] = [
    ("after", "is called after here"),
    ("last", "is called last here"),
    ("type", "is called types here"),
    ("types", "is called types here, and takes several, separated by commas"),
    ("location", "is called location here, and may be repeated"),
    ("locations", "is called location here, and may be repeated"),
    ("source", "is called source here, and may be repeated"),
    ("sources", "is called source here, and may be repeated"),
    ("severity", "is called severity here, and takes several, separated by commas"),
    ("severities", "is called severity here, and takes several, separated by commas"),
    ("minseverity", "is called min_severity here"),
    ("label", "needs the name of the label: label.<name>=<value>"),
    ("labels", "is called label.<name> here, one for each label"),
    ("position", "is called after here"),
    ("from", "is called after here, and takes a position"),
    ("since", "is no parameter of a stream; use after=<position> or last=<n>"),
    ("limit", "is no parameter of a stream; use last=<n>"),
    ("before", "is no parameter of a stream, which has no end; use GET /alerts"),
    ("until", "is no parameter of a stream, which has no end; use GET /alerts"),
    ("q", "is no parameter of a stream; search with GET /alerts, or compare the texts of events"),
    ("status", STATUS_ADVICE),
    ("statuses", STATUS_ADVICE),
];

/// A name without what is written differently by different people: case, `_`, `-`, and `[]` at the
/// end.
fn bare(name: &str) -> String {
    let name = name.strip_suffix("[]").unwrap_or(name);
    name.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect()
}

/// A status changes in the life of an alert: with such a filter the change away from it would never
/// be seen.
const STATUS_ADVICE: &str = "is no parameter of a stream, since you would miss how an alert leaves \
    that status; use types=alert,alert_update and compare the status of each event";

#[derive(Default)]
struct Reader {
    request: StreamRequest,
    findings: FieldErrors,
    /// Which of the two parameters has given the severities.
    severities_from: Option<&'static str>,
    last_event_id: Option<String>,
    /// How many names were refused: an answer must not grow with the query.
    refused_names: usize,
}

/// The most refused names that are named.
const MOST_REFUSED_NAMES: usize = 32;

impl Reader {
    fn take(&mut self, name: &str, value: &str) {
        match name {
            "after" => self.after(value),
            "last" => self.last(value),
            "types" => self.types(value),
            "location" => self.location(value),
            "source" => self.source(value),
            "severity" => self.severity(value),
            "min_severity" => self.min_severity(value),
            _ => match name.strip_prefix("label.") {
                Some(label) => self.label(label, value),
                None => self.take_unknown(name, value),
            },
        }
    }

    /// Takes a name that is not one of a stream's, if it was meant for one.
    fn take_unknown(&mut self, name: &str, value: &str) {
        let bare = bare(name);
        if bare == LAST_EVENT_ID {
            // A browser that has seen no id yet may say so.
            self.last_event_id = Some(value.to_owned()).filter(|id| !id.is_empty());
        } else if let Some((_, advice)) = ADVICE.iter().find(|(near, _)| *near == bare) {
            self.refused_names += 1;
            if self.refused_names <= MOST_REFUSED_NAMES {
                self.findings.complain(name.to_owned(), *advice);
            }
        }
    }

    /// The request, when everything was read and there are no findings.
    fn settle(mut self) -> StreamRequest {
        self.request.filter.labels.sort();
        match self.last_event_id {
            Some(id) => self.request.resumed(&id),
            None => self.request,
        }
    }

    fn after(&mut self, value: &str) {
        match parse_position(value) {
            Ok(position) => self.begin("after", StartFrom::After(position)),
            Err(error) => self.findings.complain("after", error.to_string()),
        }
    }

    fn last(&mut self, value: &str) {
        match value.parse() {
            Ok(count) if count <= LAST_MAX => self.begin("last", StartFrom::Last(count)),
            _ => self.findings.complain("last", format!("must be a number from 0 to {LAST_MAX}")),
        }
    }

    fn begin(&mut self, name: &'static str, start: StartFrom) {
        if self.request.start == StartFrom::Now {
            self.request.start = start;
        } else {
            let detail = "must be given once, and only one of after and last";
            self.findings.complain(name, detail);
        }
    }

    fn types(&mut self, value: &str) {
        for name in value.split(',') {
            let types = self.request.filter.types.get_or_insert_default();
            match EventType::parse(name.trim()) {
                Some(kind) if types.contains(&kind) => {}
                Some(kind) => types.push(kind),
                None => {
                    self.findings.complain("types", "must be some of alert, alert_update, chat");
                }
            }
        }
    }

    fn severity(&mut self, value: &str) {
        match parse_severities(value) {
            Ok(severities) => self.severities("severity", severities),
            Err(detail) => self.findings.complain("severity", detail),
        }
    }

    fn min_severity(&mut self, value: &str) {
        match Severity::parse(value) {
            Some(least) => self.severities("min_severity", least.and_worse().collect()),
            None => self.findings.complain("min_severity", SEVERITY_NAMES),
        }
    }

    fn severities(&mut self, name: &'static str, severities: Vec<Severity>) {
        match self.severities_from.replace(name) {
            Some(before) if before != name => {
                self.findings.complain(name, "cannot be combined with the other one of the two");
            }
            Some("min_severity") => self.findings.complain(name, "must be given once"),
            _ => {}
        }
        let wanted = self.request.filter.severities.get_or_insert_default();
        for severity in severities {
            if !wanted.contains(&severity) {
                wanted.push(severity);
            }
        }
    }

    fn location(&mut self, value: &str) {
        let wanted = self.request.filter.locations.get_or_insert_default();
        let location = Location::parse(value).map_err(because("location"));
        let added = location.and_then(|location| push("location", wanted, [location]));
        self.note(added);
    }

    fn source(&mut self, value: &str) {
        let wanted = self.request.filter.sources.get_or_insert_default();
        let source = Source::parse(value).map_err(because("source"));
        let added = source.and_then(|source| push("source", wanted, [source]));
        self.note(added);
    }

    fn label(&mut self, name: &str, value: &str) {
        let wanted = &mut self.request.filter.labels;
        let added = parse_label(name, value).and_then(|label| push("label", wanted, [label]));
        self.note(added);
    }

    fn note(&mut self, added: Result<(), FieldError>) {
        if let Err((name, detail)) = added {
            self.findings.complain(name, detail);
        }
    }
}

#[cfg(test)]
mod tests;
