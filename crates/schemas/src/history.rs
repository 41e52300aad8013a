//! What a history is asked for: which part of it, in which order, and the links to the parts beside
//! that one.

use crate::conditions::{FieldError, SEVERITY_NAMES, because, parse_label, parse_severities, push};
use crate::fields::FieldErrors;
use crate::position::parse_position;
use crate::scalars::parse_moment;
use crate::{PositionText, TimestampText};
use form_urlencoded::Serializer;
use northgate_domain::{
    Label, Location, Position, Positioned, Search, Severity, Source, StatusKind, Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

/// The most items of one answer.
pub const LIMIT_MAX: usize = 1_000;
/// How many items are given to whoever does not say.
pub const LIMIT_DEFAULT: usize = 10;

/// In which order items are shown; which ones they are does not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Order {
    /// Oldest first.
    #[default]
    Asc,
    /// Newest first.
    Desc,
}

/// What a client asks of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRequest {
    /// The most items, from 1 to [`LIMIT_MAX`].
    pub limit: usize,
    /// Only items that stand after this position: the oldest of them.
    pub after: Option<Position>,
    /// Only items that stand before this position.
    pub before: Option<Position>,
    /// Only items that began at this moment or later.
    pub since: Option<Timestamp>,
    /// Only items that began before this moment.
    pub until: Option<Timestamp>,
    /// Only alerts at one of these locations, if there are any.
    pub locations: Vec<Location>,
    /// Only alerts from one of these sources, if there are any.
    pub sources: Vec<Source>,
    /// Only alerts of one of these statuses, if there are any.
    pub statuses: Vec<StatusKind>,
    /// Only alerts of one of these severities, if there are any.
    pub severities: Vec<Severity>,
    /// Only alerts that have, of each name, one of these.
    pub labels: Vec<Label>,
    /// The mildest severity that was asked for instead of `severities`.
    min_severity: Option<Severity>,
    /// Only items with these words.
    pub search: Search,
    /// The search as it was sent, for the links.
    words: Option<String>,
    /// In which order to show them.
    pub order: Order,
}

impl Default for HistoryRequest {
    fn default() -> Self {
        Self {
            limit: LIMIT_DEFAULT,
            after: None,
            before: None,
            since: None,
            until: None,
            locations: Vec::new(),
            sources: Vec::new(),
            statuses: Vec::new(),
            severities: Vec::new(),
            labels: Vec::new(),
            min_severity: None,
            search: Search::default(),
            words: None,
            order: Order::default(),
        }
    }
}

impl HistoryRequest {
    /// Reads a query string. Names that nobody knows are ignored; every bad value is named. Of a
    /// name that may stand there once and stands there twice, the last value counts.
    pub fn parse(query: &str) -> Result<Self, FieldErrors> {
        let mut request = Self::default();
        let mut findings = FieldErrors::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if let Err((name, detail)) = request.take(&name, &value) {
                findings.complain(name, detail);
            }
        }
        if let Err((name, detail)) = request.settle() {
            findings.complain(name, detail);
        }
        if findings.is_empty() { Ok(request) } else { Err(findings) }
    }

    /// Takes a parameter; one that nobody knows is ignored.
    fn take(&mut self, name: &str, value: &str) -> Result<(), FieldError> {
        match name {
            "limit" => self.limit = limit(value)?,
            "order" => {
                self.order = match value {
                    "asc" => Order::Asc,
                    "desc" => Order::Desc,
                    _ => return Err(("order".into(), "must be asc or desc".into())),
                }
            }
            _ => {
                self.take_known(name, value)?;
            }
        }
        Ok(())
    }

    /// Takes a parameter that says which items are meant; one that nobody knows is refused.
    pub(crate) fn take_condition(&mut self, name: &str, value: &str) -> Result<(), FieldError> {
        if self.take_known(name, value)? {
            return Ok(());
        }
        Err((name.to_owned().into(), "is no parameter of GET /alerts that says which ones".into()))
    }

    /// Whether it is one that is known, and then it is taken.
    fn take_known(&mut self, name: &str, value: &str) -> Result<bool, FieldError> {
        match name {
            "after" => self.after = Some(position("after", value)?),
            "before" => self.before = Some(position("before", value)?),
            "since" => self.since = Some(moment("since", value)?),
            "until" => self.until = Some(moment("until", value)?),
            "q" => {
                self.search = Search::parse(value).map_err(because("q"))?;
                self.words = (!self.search.is_empty()).then(|| value.to_owned());
            }
            "location" => {
                let location = Location::parse(value).map_err(because("location"))?;
                push("location", &mut self.locations, [location])?;
            }
            "source" => {
                let source = Source::parse(value).map_err(because("source"))?;
                push("source", &mut self.sources, [source])?;
            }
            "status" => {
                let statuses = parse_statuses(value).map_err(because("status"))?;
                push("status", &mut self.statuses, statuses)?;
            }
            "severity" => {
                let severities = parse_severities(value).map_err(because("severity"))?;
                push("severity", &mut self.severities, severities)?;
            }
            "min_severity" => {
                let least = Severity::parse(value).ok_or(SEVERITY_NAMES);
                self.min_severity = Some(least.map_err(because("min_severity"))?);
            }
            _ => match name.strip_prefix("label.") {
                Some(name) => {
                    let label = parse_label(name, value)?;
                    push("label", &mut self.labels, [label])?;
                }
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    /// Whether anything says which items are meant.
    pub(crate) fn has_condition(&self) -> bool {
        *self != Self { limit: self.limit, order: self.order, ..Self::default() }
    }

    /// What several parameters say together.
    pub(crate) fn settle(&mut self) -> Result<(), FieldError> {
        if let Some(least) = self.min_severity {
            if !self.severities.is_empty() {
                return Err(("min_severity".into(), "must not stand beside severity".into()));
            }
            self.severities = least.and_worse().collect();
        }
        Ok(())
    }

    /// The links beside an answer to this request. They are queries for the address that it came to
    /// (RFC 3986 section 5.2), whatever that is called outside.
    pub(crate) fn links<T>(&self, part: &Part<'_, T>) -> PageLinks {
        let Self { after, before, .. } = *self;
        let upwards = after.is_some();
        let examined_up = part.examined_to.filter(|_| upwards);
        let examined_down = part.examined_to.filter(|_| !upwards);
        let last = examined_up.or(part.items.last().map(|item| item.position));
        let next = part.has_newer.then(|| match last {
            // From one end of the range to the other.
            Some(last) => self.link(Some(last), before.filter(|_| upwards)),
            // Nothing stands before the position: what is newer begins at the very first.
            None => self.link(before.map(|before| Position::start(before.epoch)), None),
        });
        let first = examined_down.or(part.items.first().map(|item| item.position));
        let previous = part.has_older.then(|| match first {
            Some(first) => self.link(None, Some(first)),
            // Nothing stands in the range: what is older stands before its end.
            None => self.link(None, before),
        });
        PageLinks { next, previous }
    }

    /// Where to go on, if more match than `part` has: with what is older, or newer for whoever asked
    /// for what comes after a position.
    pub fn rest<T>(&self, part: &Part<'_, T>) -> Option<Continuation> {
        let (more, end) = match self.after {
            Some(_) => (part.has_newer, part.items.last()),
            None => (part.has_older, part.items.first()),
        };
        let end = part.examined_to.or(end.map(|item| item.position));
        let end = PositionText(end.filter(|_| more)?);
        Some(if self.after.is_some() {
            Continuation::After(end)
        } else {
            Continuation::Before(end)
        })
    }

    fn link(&self, after: Option<Position>, before: Option<Position>) -> String {
        let mut query = Serializer::for_suffix("?".to_owned(), 1);
        query.append_pair("limit", &self.limit.to_string());
        for (name, position) in [("after", after), ("before", before)] {
            if let Some(position) = position {
                query.append_pair(name, &PositionText(position).to_string());
            }
        }
        for (name, moment) in [("since", self.since), ("until", self.until)] {
            if let Some(moment) = moment {
                query.append_pair(name, &TimestampText(moment).to_string());
            }
        }
        for location in &self.locations {
            query.append_pair("location", location.as_str());
        }
        for source in &self.sources {
            query.append_pair("source", source.as_str());
        }
        for status in &self.statuses {
            query.append_pair("status", status.name());
        }
        match self.min_severity {
            Some(least) => {
                query.append_pair("min_severity", least.name());
            }
            None => {
                for severity in &self.severities {
                    query.append_pair("severity", severity.name());
                }
            }
        }
        for label in &self.labels {
            query.append_pair(&format!("label.{}", label.name), label.value.as_str());
        }
        if let Some(words) = &self.words {
            query.append_pair("q", words);
        }
        if self.order == Order::Desc {
            query.append_pair("order", "desc");
        }
        query.finish()
    }
}

/// The parameter with which a request goes on where a part of its answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(rename_all = "lowercase")]
pub enum Continuation {
    /// What is older.
    #[schema(value_type = String)]
    Before(PositionText),
    /// What is newer.
    #[schema(value_type = String)]
    After(PositionText),
}

/// The part of a history that answers a request.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a, T> {
    /// The newest event that the items reflect.
    pub position: Position,
    /// The items, oldest first.
    pub items: &'a [Positioned<T>],
    /// Whether older ones match, or may match.
    pub has_older: bool,
    /// Whether newer ones match, or may match.
    pub has_newer: bool,
    /// Where the next part begins, if the scan ended before it had filled this one.
    pub examined_to: Option<Position>,
}

impl<'a, T> Part<'a, T> {
    /// The items in the order in which they are to be shown.
    pub(crate) fn shown<B: From<&'a Positioned<T>>>(&self, order: Order) -> Vec<B> {
        match order {
            Order::Asc => self.items.iter().map(B::from).collect(),
            Order::Desc => self.items.iter().rev().map(B::from).collect(),
        }
    }
}

/// The addresses of the parts beside one, where there are any.
pub(crate) struct PageLinks {
    pub(crate) next: Option<String>,
    pub(crate) previous: Option<String>,
}

fn limit(value: &str) -> Result<usize, FieldError> {
    match value.parse() {
        Ok(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
        _ => Err(("limit".into(), format!("must be a number from 1 to {LIMIT_MAX}").into())),
    }
}

fn position(name: &'static str, value: &str) -> Result<Position, FieldError> {
    parse_position(value).map_err(because(name))
}

/// Reads a moment. A `+` that was not escaped has arrived as a space.
fn moment(name: &'static str, value: &str) -> Result<Timestamp, FieldError> {
    let (date, time) = value.split_at_checked("2025-07-24T".len()).unwrap_or((value, ""));
    parse_moment(&format!("{date}{}", time.replace(' ', "+"))).map_err(because(name))
}

fn parse_statuses(value: &str) -> Result<Vec<StatusKind>, &'static str> {
    let names = value.split(',').map(str::trim);
    let parse =
        |name| StatusKind::parse(name).ok_or("must be some of open, acknowledged, resolved");
    names.map(parse).collect()
}

#[cfg(test)]
mod tests;
