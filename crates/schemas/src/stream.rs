//! From the query string of a stream to a subscription, over WebSocket and SSE alike.

use crate::conditions::{FieldError, SEVERITY_NAMES, because, parse_label, parse_severities, push};
use crate::fields::FieldErrors;
use crate::position::parse_position;
use northgate_domain::{EventType, Label, Location, Severity, Source, StartFrom, Subscription};
use std::borrow::Cow;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The most events that `last` may ask for.
pub const LAST_MAX: usize = 1_000;

/// The names of event types, as the OpenAPI document shows them.
pub struct EventTypeName;

impl PartialSchema for EventTypeName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A kind of event, by its name in the `type` member."))
            .enum_values(Some(EventType::ALL.map(EventType::name)))
            .into()
    }
}

impl ToSchema for EventTypeName {
    fn name() -> Cow<'static, str> {
        "EventType".into()
    }
}

/// Reads the query string of a stream. The error lists every bad value, and every unknown name
/// that was probably meant for a known one. Other unknown names are ignored.
pub fn parse_subscription(query: &str) -> Result<Subscription, FieldErrors> {
    let mut reader = Reader::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        reader.take(&name, &value);
    }
    if reader.findings.is_empty() { Ok(reader.settle()) } else { Err(reader.findings) }
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
    subscription: Subscription,
    labels: Vec<Label>,
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

    /// The subscription, when everything was read and there are no findings.
    fn settle(mut self) -> Subscription {
        self.subscription.filter.set_labels(self.labels);
        match self.last_event_id {
            Some(id) => self.subscription.resumed(parse_position(&id).ok()),
            None => self.subscription,
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
        if self.subscription.start == StartFrom::Now {
            self.subscription.start = start;
        } else {
            let detail = "must be given once, and only one of after and last";
            self.findings.complain(name, detail);
        }
    }

    fn types(&mut self, value: &str) {
        for name in value.split(',') {
            let types = &mut self.subscription.filter.types;
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
        let wanted = &mut self.subscription.filter.severities;
        for severity in severities {
            if !wanted.contains(&severity) {
                wanted.push(severity);
            }
        }
    }

    fn location(&mut self, value: &str) {
        let wanted = &mut self.subscription.filter.locations;
        let location = Location::parse(value).map_err(because("location"));
        let added = location.and_then(|location| push("location", wanted, [location]));
        self.note(added);
    }

    fn source(&mut self, value: &str) {
        let wanted = &mut self.subscription.filter.sources;
        let source = Source::parse(value).map_err(because("source"));
        let added = source.and_then(|source| push("source", wanted, [source]));
        self.note(added);
    }

    fn label(&mut self, name: &str, value: &str) {
        let wanted = &mut self.labels;
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
