//! Parses the query string of a stream into a subscription, for WebSocket and SSE.

use crate::conditions::{FieldError, SEVERITY_NAMES, because, parse_label, parse_severities, push};
use crate::fields::FieldErrors;
use crate::position::parse_position;
use northgate_domain::{EventType, Label, Location, Severity, Source, StartFrom, Subscription};
use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::Duration;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Upper bound of the parameter `last`, in events.
pub const LAST_MAX: usize = 1_000;

/// Values of the parameter `live_every`, in seconds. A shorter interval would cost more than the
/// events of a usual stream. A longer one would exceed the idle timeout of many proxies.
const LIVE_SECONDS: RangeInclusive<u64> = 1..=60;

/// Schema of the names of event types in the OpenAPI document.
pub struct EventTypeName;

impl PartialSchema for EventTypeName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The type of an event, as in its member `type`."))
            .enum_values(Some(EventType::ALL.map(EventType::name)))
            .into()
    }
}

impl ToSchema for EventTypeName {
    fn name() -> Cow<'static, str> {
        "EventType".into()
    }
}

/// Parses the query string of a stream. The error lists every bad value, and the unknown names in
/// `ADVICE`, at most `MOST_REFUSED_NAMES`. Other unknown names are ignored.
pub fn parse_subscription(query: &str) -> Result<Subscription, FieldErrors> {
    let mut reader = Reader::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        reader.take(&name, &value);
    }
    if reader.findings.is_empty() { Ok(reader.settle()) } else { Err(reader.findings) }
}

/// Normal form of the query parameter that polyfills of `EventSource` use for `Last-Event-ID`. A
/// browser sends `Last-Event-ID` as a header.
const LAST_EVENT_ID: &str = "lasteventid";

/// Refused names and their error texts. A client that sends such a name probably misspelt a known
/// name, or expects a feature that a stream does not have. Each name is in the form that [`bare`]
/// returns. `docs/PROTOCOL.md` lists these names.
const ADVICE: [(&str, &str); 23] = [
    ("after", "is not a parameter of a stream; use after=<position>"),
    ("last", "is not a parameter of a stream; use last=<n>"),
    ("type", "is not a parameter of a stream; use types"),
    ("types", "is not a parameter of a stream; use types; separate several types with commas"),
    ("location", "is not a parameter of a stream; use location, once for each location"),
    ("locations", "is not a parameter of a stream; use location, once for each location"),
    ("source", "is not a parameter of a stream; use source, once for each source"),
    ("sources", "is not a parameter of a stream; use source, once for each source"),
    (
        "severity",
        "is not a parameter of a stream; use severity; separate several severities with commas",
    ),
    (
        "severities",
        "is not a parameter of a stream; use severity; separate several severities with commas",
    ),
    ("minseverity", "is not a parameter of a stream; use min_severity"),
    ("label", "is not a parameter of a stream; use label.<name>=<value>"),
    ("labels", "is not a parameter of a stream; use label.<name>=<value> for each label"),
    ("liveevery", "is not a parameter of a stream; use live_every=<n>s"),
    ("position", "is not a parameter of a stream; use after=<position>"),
    ("from", "is not a parameter of a stream; use after=<position>"),
    ("since", "is not a parameter of a stream; use after=<position> or last=<n>"),
    ("limit", "is not a parameter of a stream; use last=<n>"),
    ("before", "is not a parameter of a stream, because a stream has no end; use GET /alerts"),
    ("until", "is not a parameter of a stream, because a stream has no end; use GET /alerts"),
    ("q", "is not a parameter of a stream; search with GET /alerts, or filter in the client"),
    ("status", STATUS_ADVICE),
    ("statuses", STATUS_ADVICE),
];

/// Returns the normal form of a name: lower case, without `_` and `-`, and without a final `[]`.
fn bare(name: &str) -> String {
    let name = name.strip_suffix("[]").unwrap_or(name);
    name.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect()
}

/// Error text for a filter by status. A stream with such a filter would not send the event with
/// which an alert leaves that status.
const STATUS_ADVICE: &str = "is not a parameter of a stream, because the client would not see an \
    alert leave that status; use types=alert,alert_update and compare the status of each event";

#[derive(Default)]
struct Reader {
    subscription: Subscription,
    labels: Vec<Label>,
    findings: FieldErrors,
    /// The parameter that set the severities: `severity` or `min_severity`.
    severities_from: Option<&'static str>,
    last_event_id: Option<String>,
    /// Number of refused names. The answer lists at most [`MOST_REFUSED_NAMES`] of these names, so
    /// that the size of the answer does not grow with the query.
    refused_names: usize,
}

/// Upper bound of refused names that an answer lists.
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
            "live_every" => self.live_every(value),
            _ => match name.strip_prefix("label.") {
                Some(label) => self.label(label, value),
                None => self.take_unknown(name, value),
            },
        }
    }

    /// Handles a name that is not a known parameter: accepts spellings of `Last-Event-ID`, refuses
    /// the names in [`ADVICE`], and ignores all other names.
    fn take_unknown(&mut self, name: &str, value: &str) {
        let bare = bare(name);
        if bare == LAST_EVENT_ID {
            // A client that has not received an id yet may send an empty value.
            self.last_event_id = Some(value.to_owned()).filter(|id| !id.is_empty());
        } else if let Some((_, advice)) = ADVICE.iter().find(|(near, _)| *near == bare) {
            self.refused_names += 1;
            if self.refused_names <= MOST_REFUSED_NAMES {
                self.findings.complain(name.to_owned(), *advice);
            }
        }
    }

    /// Returns the subscription. Called after all parameters were read without field errors.
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
            let detail = "must be sent only once; after and last cannot be combined";
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
                    self.findings
                        .complain("types", "must be one or more of alert, alert_update, chat");
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
                self.findings
                    .complain(name, "cannot be combined: send either severity or min_severity");
            }
            Some("min_severity") => self.findings.complain(name, "must be sent only once"),
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

    fn live_every(&mut self, value: &str) {
        match parse_live_every(value) {
            Some(_) if self.subscription.live_every.is_some() => {
                self.findings.complain("live_every", "must be sent only once");
            }
            Some(every) => self.subscription.live_every = Some(every),
            None => {
                let (shortest, longest) = (LIVE_SECONDS.start(), LIVE_SECONDS.end());
                let detail = format!("must be {shortest}s to {longest}s, in whole seconds");
                self.findings.complain("live_every", detail);
            }
        }
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

/// Parses a number of whole seconds such as `5s`.
fn parse_live_every(value: &str) -> Option<Duration> {
    let digits = value.strip_suffix('s').filter(|text| text.bytes().all(|c| c.is_ascii_digit()))?;
    let seconds = digits.parse().ok().filter(|seconds| LIVE_SECONDS.contains(seconds))?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
