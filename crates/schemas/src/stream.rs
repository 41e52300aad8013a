//! What a stream is asked for, over WebSocket and SSE alike: where it begins, and which events it
//! holds.

use crate::fields::Findings;
use crate::position::parse_position;
use northgate_domain::{AlertChange, Event, Location, Position, Severity};
use utoipa::ToSchema;

/// The most events that `last` may ask for.
pub const LAST_MAX: usize = 1_000;

/// The most locations that a filter may name: each event is compared with each of them.
pub const LOCATIONS_MAX: usize = 64;

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
    /// Where it happened, and how bad it is, if it is an alert's.
    pub alert: Option<(Location, Severity)>,
}

impl From<&Event> for Facets {
    fn from(event: &Event) -> Self {
        let alert = match event {
            Event::Alert(event) => Some((event.alert.location.clone(), event.alert.severity)),
            Event::Chat(_) => None,
        };
        Self { kind: EventType::of(event), alert }
    }
}

/// Where a stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Beginning {
    /// With what happens from now on.
    #[default]
    Now,
    /// With everything after a position.
    After(Position),
    /// With the newest so many events that match, and then what happens from now on.
    Last(usize),
}

/// Which events a stream holds. Its conditions are joined by *and*; within one, any value will do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    types: Option<Vec<EventType>>,
    locations: Option<Vec<Location>>,
    severities: Option<Vec<Severity>>,
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

    /// Whether an event with these facets matches. One that is of no alert matches no filter on
    /// locations or severities. Allocates nothing.
    pub fn matches(&self, facets: &Facets) -> bool {
        let alert = facets.alert.as_ref();
        let location = |allowed: &Vec<_>| alert.is_some_and(|(at, _)| allowed.contains(at));
        let severity = |allowed: &Vec<_>| alert.is_some_and(|(_, how)| allowed.contains(how));
        let kind = match &self.types {
            Some(types) => types.contains(&facets.kind),
            None => facets.kind.is_sent_unasked(),
        };
        kind && self.locations.as_ref().is_none_or(location)
            && self.severities.as_ref().is_none_or(severity)
    }
}

/// What a client asks of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamRequest {
    /// Where to begin.
    pub beginning: Beginning,
    /// What to give.
    pub filter: EventFilter,
}

impl StreamRequest {
    /// Whether the client asked for anything, and so is told where it stands. A client that asks
    /// for nothing gets events and nothing else, as it always was.
    pub fn is_announced(&self) -> bool {
        self.beginning != Beginning::Now || !self.filter.is_open()
    }

    /// The same from where a browser's `EventSource` was cut (its `Last-Event-ID`), whatever the
    /// query says: a reconnect sends the query as it was at first.
    pub fn resumed(mut self, last_event_id: &str) -> Result<Self, Findings> {
        match parse_position(last_event_id) {
            Ok(position) => self.beginning = Beginning::After(position),
            Err(error) => {
                let mut findings = Findings::default();
                findings.add("Last-Event-ID", error.to_string());
                return Err(findings);
            }
        }
        Ok(self)
    }

    /// Reads a query string. Names that nobody knows are ignored; every bad value is named.
    pub fn parse(query: &str) -> Result<Self, Findings> {
        let mut reader = Reader::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "after" => reader.after(&value),
                "last" => reader.last(&value),
                "types" => reader.types(&value),
                "location" => reader.location(&value),
                "severity" => reader.severity(&value),
                "min_severity" => reader.min_severity(&value),
                _ => {}
            }
        }
        if reader.findings.is_empty() { Ok(reader.request) } else { Err(reader.findings) }
    }
}

#[derive(Default)]
struct Reader {
    request: StreamRequest,
    findings: Findings,
    /// Which of the two parameters has given the severities.
    severities_from: Option<&'static str>,
}

/// What a severity must be.
const SEVERITY_NAMES: &str = "must be critical, error, warning or info";

/// Reads severities, separated by commas.
pub(crate) fn parse_severities(value: &str) -> Result<Vec<Severity>, &'static str> {
    let names = value.split(',').map(str::trim);
    names
        .map(|name| Severity::parse(name).ok_or("must be some of critical, error, warning, info"))
        .collect()
}

impl Reader {
    fn after(&mut self, value: &str) {
        match parse_position(value) {
            Ok(position) => self.begin("after", Beginning::After(position)),
            Err(error) => self.findings.complain("after", error.to_string()),
        }
    }

    fn last(&mut self, value: &str) {
        match value.parse() {
            Ok(count) if count <= LAST_MAX => self.begin("last", Beginning::Last(count)),
            _ => self.findings.complain("last", format!("must be a number from 0 to {LAST_MAX}")),
        }
    }

    fn begin(&mut self, name: &'static str, beginning: Beginning) {
        if self.request.beginning == Beginning::Now {
            self.request.beginning = beginning;
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
        if self.severities_from.replace(name).is_some_and(|before| before != name) {
            self.findings.complain(name, "must not stand beside the other one of the two");
        }
        let wanted = self.request.filter.severities.get_or_insert_default();
        for severity in severities {
            if !wanted.contains(&severity) {
                wanted.push(severity);
            }
        }
    }

    fn location(&mut self, value: &str) {
        let locations = self.request.filter.locations.get_or_insert_default();
        match Location::parse(value) {
            Ok(location) if locations.len() < LOCATIONS_MAX => locations.push(location),
            Ok(_) => {
                let detail = format!("must be given at most {LOCATIONS_MAX} times");
                self.findings.complain("location", detail);
            }
            Err(error) => self.findings.complain("location", error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use northgate_domain::Epoch;
    use proptest::prelude::*;

    fn request(query: &str) -> StreamRequest {
        StreamRequest::parse(query).unwrap()
    }

    fn findings(query: &str) -> Vec<String> {
        let findings = StreamRequest::parse(query).unwrap_err();
        findings.sorted().into_iter().map(|(name, _)| name.to_owned()).collect()
    }

    #[test]
    fn an_empty_query_asks_for_nothing() {
        for query in ["", "x=1", "After=3", "=", "&&", "token=%ff"] {
            assert!(!request(query).is_announced(), "{query}");
        }
    }

    #[test]
    fn a_stream_begins_where_it_is_told_to() {
        let position = Position { epoch: Epoch::new(0xab), offset: 7 };
        assert_eq!(request("after=00000000000000ab-7").beginning, Beginning::After(position));
        assert_eq!(request("last=0").beginning, Beginning::Last(0));
        assert_eq!(request("last=1000").beginning, Beginning::Last(1_000));
    }

    #[test]
    fn filters_are_joined_by_and() {
        use EventType::{Alert, AlertUpdate, Chat};
        let alert = |kind, location: &str, severity| Facets {
            kind,
            alert: Some((Location::parse(location).unwrap(), severity)),
        };
        let events = [
            alert(Alert, "North Gate", Severity::Info),
            alert(Alert, "South Gate", Severity::Error),
            alert(AlertUpdate, "North Gate", Severity::Critical),
            Facets { kind: Chat, alert: None },
        ];
        for (query, expected) in [
            ("", [true, true, false, true]),
            ("types=alert,chat", [true, true, false, true]),
            ("types=alert", [true, true, false, false]),
            ("types=alert_update", [false, false, true, false]),
            ("types=alert,alert_update,chat", [true; 4]),
            ("location=North+Gate&location=East%20Gate", [true, false, false, false]),
            ("types=alert_update,alert&location=North+Gate", [true, false, true, false]),
            ("severity=error,critical", [false, true, false, false]),
            ("severity=error&severity=info", [true, true, false, false]),
            ("min_severity=error&types=alert,alert_update", [false, true, true, false]),
            ("min_severity=info&location=North+Gate", [true, false, false, false]),
        ] {
            let filter = request(query).filter;
            assert_eq!(events.each_ref().map(|facets| filter.matches(facets)), expected, "{query}");
        }
    }

    #[test]
    fn every_bad_parameter_is_named() {
        for (query, names) in [
            ("after=", vec!["after"]),
            ("after=7", vec!["after"]),
            ("last=-1", vec!["last"]),
            ("last=1001", vec!["last"]),
            ("last=ten", vec!["last"]),
            ("after=00000000000000ab-7&last=3", vec!["last"]),
            ("last=3&last=3", vec!["last"]),
            ("types=", vec!["types"]),
            ("types=alert,alarm", vec!["types"]),
            ("severity=", vec!["severity"]),
            ("severity=error,fatal", vec!["severity"]),
            ("min_severity=error,info", vec!["min_severity"]),
            ("severity=error&min_severity=error", vec!["min_severity"]),
            ("location=", vec!["location"]),
            ("location=%00&types=x&last=x", vec!["last", "location", "types"]),
        ] {
            assert_eq!(findings(query), names, "{query}");
        }
    }

    #[test]
    fn a_filter_is_short() {
        let query = |count| vec!["location=x&types=alert"; count].join("&");
        assert!(request(&query(LOCATIONS_MAX)).is_announced());
        assert_eq!(findings(&query(LOCATIONS_MAX + 1)), ["location"]);
        assert_eq!(findings(&query(5_000)), ["location"]);
        assert_eq!(findings(&format!("types={}", "x,".repeat(5_000))), ["types"]);
        let severities =
            request(&format!("severity=info{}", ",error".repeat(5_000))).filter.severities;
        assert_eq!(severities, Some(vec![Severity::Info, Severity::Error]));
    }

    proptest! {
        #[test]
        fn no_query_breaks_the_reader(query in "\\PC*|[a-z=&%0-9,+-]{0,80}") {
            let _ = StreamRequest::parse(&query);
        }
    }
}
