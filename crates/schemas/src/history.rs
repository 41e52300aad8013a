//! Parses the query string of a history, and builds the page links of the answer.

use crate::conditions::{FieldError, SEVERITY_NAMES, because, parse_label, parse_severities, push};
use crate::fields::FieldErrors;
use crate::position::parse_position;
use crate::scalars::parse_moment;
use crate::{PositionText, TimestampText};
use form_urlencoded::Serializer;
use northgate_domain::{
    AlertQuery, HistoryPage, HistoryRange, Location, Position, Positioned, Search, Severity,
    SeverityFilter, Source, StatusKind, Timestamp,
};
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// Upper bound of items per page.
pub const LIMIT_MAX: usize = 1_000;
/// Items per page if the request has no `limit`.
pub const LIMIT_DEFAULT: usize = 10;

/// The order of the items in an answer. The order does not affect which items are selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Order {
    /// Oldest first.
    #[default]
    Asc,
    /// Newest first.
    Desc,
}

/// Parses the query string of a history: the query, and the order of the items in the answer.
/// Unknown names are ignored. The error names every bad parameter. If a parameter that accepts one
/// value occurs twice, the last value is used. A history of messages uses only the range and the
/// search of the query.
pub fn parse_history(query: &str) -> Result<(AlertQuery, Order), FieldErrors> {
    let (mut asked, mut order) = (AlertQuery::newest(LIMIT_DEFAULT), Order::default());
    let mut errors = FieldErrors::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let taken = match name.as_ref() {
            "limit" => limit(&value).map(|limit| asked.range.limit = limit),
            "order" => parse_order(&value).map(|parsed| order = parsed),
            _ => take_condition(&mut asked, &name, &value).map(|_known| ()),
        };
        if let Err((name, detail)) = taken {
            errors.complain(name, detail);
        }
    }
    if errors.is_empty() { Ok((asked, order)) } else { Err(errors) }
}

/// Applies a parameter that is a condition on the items. Returns false if `name` is not the name of
/// a condition.
pub(crate) fn take_condition(
    query: &mut AlertQuery,
    name: &str,
    value: &str,
) -> Result<bool, FieldError> {
    let range = &mut query.range;
    match name {
        "after" => range.after = Some(position("after", value)?),
        "before" => range.before = Some(position("before", value)?),
        "since" => range.since = Some(moment("since", value)?),
        "until" => range.until = Some(moment("until", value)?),
        "q" => query.search = Search::parse(value).map_err(because("q"))?,
        "location" => {
            let location = Location::parse(value).map_err(because("location"))?;
            push("location", &mut query.locations, [location])?;
        }
        "source" => {
            let source = Source::parse(value).map_err(because("source"))?;
            push("source", &mut query.sources, [source])?;
        }
        "status" => {
            let statuses = parse_statuses(value).map_err(because("status"))?;
            push("status", &mut query.statuses, statuses)?;
        }
        "severity" => {
            let severities = parse_severities(value).map_err(because("severity"))?;
            let mut wanted = match std::mem::take(&mut query.severities) {
                SeverityFilter::AtLeast(least) => {
                    query.severities = SeverityFilter::AtLeast(least);
                    return Err(SEVERITY_TWICE);
                }
                SeverityFilter::Any => Vec::new(),
                SeverityFilter::AnyOf(wanted) => wanted,
            };
            push("severity", &mut wanted, severities)?;
            query.severities = SeverityFilter::AnyOf(wanted);
        }
        "min_severity" => {
            let least = Severity::parse(value).ok_or(SEVERITY_NAMES);
            let least = least.map_err(because("min_severity"))?;
            if let SeverityFilter::AnyOf(_) = query.severities {
                return Err(SEVERITY_TWICE);
            }
            query.severities = SeverityFilter::AtLeast(least);
        }
        _ => match name.strip_prefix("label.") {
            Some(name) => push("label", &mut query.labels, [parse_label(name, value)?])?,
            None => return Ok(false),
        },
    }
    Ok(true)
}

/// Error for a query with both `severity` and `min_severity`.
const SEVERITY_TWICE: FieldError =
    (Cow::Borrowed("min_severity"), Cow::Borrowed("cannot be combined with severity"));

/// Returns the links from `page`, the answer to `query`, to the pages before and after. Each link
/// is only a query string, relative to the address of the request (RFC 3986 section 5.2). So the
/// links work under any public address.
pub(crate) fn links<T>(query: &AlertQuery, order: Order, page: &HistoryPage<T>) -> PageLinks {
    let HistoryRange { after, before, .. } = query.range;
    let upwards = after.is_some();
    let link = |after, before| link(query, order, after, before);
    let examined_up = page.examined_to.filter(|_| upwards);
    let examined_down = page.examined_to.filter(|_| !upwards);
    let last = examined_up.or(page.items.last().map(|item| item.position));
    let next = page.has_newer.then(|| match last {
        // The next page begins where this page ends. If the query has `after`, `before` still
        // applies.
        Some(last) => link(Some(last), before.filter(|_| upwards)),
        // The page has no items: no item is before `before`, so the newer items begin at the start
        // of the log.
        None => link(before.map(|before| Position::start(before.epoch)), None),
    });
    let first = examined_down.or(page.items.first().map(|item| item.position));
    let previous = page.has_older.then(|| match first {
        Some(first) => link(None, Some(first)),
        // The page has no items, so the previous page ends at `before`, or at the head of the log.
        None => link(None, before),
    });
    PageLinks { next, previous }
}

impl Continuation {
    /// Returns the parameter with which the next request continues after `page`, or `None` if no
    /// more items match. The next request selects newer items if `query` has `after`, and otherwise
    /// older items.
    pub fn of<T>(query: &AlertQuery, page: &HistoryPage<T>) -> Option<Self> {
        let upwards = query.range.after.is_some();
        let (more, end) = if upwards {
            (page.has_newer, page.items.last())
        } else {
            (page.has_older, page.items.first())
        };
        let end = page.examined_to.or(end.map(|item| item.position));
        let end = PositionText(end.filter(|_| more)?);
        Some(if upwards { Self::After(end) } else { Self::Before(end) })
    }
}

fn link(
    query: &AlertQuery,
    order: Order,
    after: Option<Position>,
    before: Option<Position>,
) -> String {
    let mut text = Serializer::for_suffix("?".to_owned(), 1);
    text.append_pair("limit", &query.range.limit.to_string());
    for (name, position) in [("after", after), ("before", before)] {
        if let Some(position) = position {
            text.append_pair(name, &PositionText(position).to_string());
        }
    }
    for (name, moment) in [("since", query.range.since), ("until", query.range.until)] {
        if let Some(moment) = moment {
            text.append_pair(name, &TimestampText(moment).to_string());
        }
    }
    for location in &query.locations {
        text.append_pair("location", location.as_str());
    }
    for source in &query.sources {
        text.append_pair("source", source.as_str());
    }
    for status in &query.statuses {
        text.append_pair("status", status.name());
    }
    match &query.severities {
        SeverityFilter::Any => {}
        SeverityFilter::AtLeast(least) => {
            text.append_pair("min_severity", least.name());
        }
        SeverityFilter::AnyOf(severities) => {
            for severity in severities {
                text.append_pair("severity", severity.name());
            }
        }
    }
    for label in &query.labels {
        text.append_pair(&format!("label.{}", label.name), label.value.as_str());
    }
    if !query.search.is_empty() {
        text.append_pair("q", query.search.as_str());
    }
    if order == Order::Desc {
        text.append_pair("order", "desc");
    }
    text.finish()
}

/// Parameter with which the next request continues after this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Rest, rename_all = "lowercase")]
pub enum Continuation {
    /// The next request selects older items, before this position.
    #[schema(value_type = String)]
    Before(PositionText),
    /// The next request selects newer items, after this position.
    #[schema(value_type = String)]
    After(PositionText),
}

/// Returns the items of `page` in the requested order.
pub(crate) fn shown<'a, T, B: From<&'a Positioned<T>>>(
    page: &'a HistoryPage<T>,
    order: Order,
) -> Vec<B> {
    match order {
        Order::Asc => page.items.iter().map(B::from).collect(),
        Order::Desc => page.items.iter().rev().map(B::from).collect(),
    }
}

/// Links to the next and the previous page. A link is `None` if there is no such page.
pub(crate) struct PageLinks {
    pub(crate) next: Option<String>,
    pub(crate) previous: Option<String>,
}

pub(crate) fn limit(value: &str) -> Result<usize, FieldError> {
    match value.parse() {
        Ok(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
        _ => Err(("limit".into(), format!("must be a number from 1 to {LIMIT_MAX}").into())),
    }
}

fn parse_order(value: &str) -> Result<Order, FieldError> {
    match value {
        "asc" => Ok(Order::Asc),
        "desc" => Ok(Order::Desc),
        _ => Err(("order".into(), "must be asc or desc".into())),
    }
}

pub(crate) fn position(name: &'static str, value: &str) -> Result<Position, FieldError> {
    parse_position(value).map_err(because(name))
}

/// Parses a timestamp. In a query string, an unescaped `+` is decoded as a space, so a space after
/// the date is replaced by `+`.
fn moment(name: &'static str, value: &str) -> Result<Timestamp, FieldError> {
    let (date, time) = value.split_at_checked("2025-07-24T".len()).unwrap_or((value, ""));
    parse_moment(&format!("{date}{}", time.replace(' ', "+"))).map_err(because(name))
}

fn parse_statuses(value: &str) -> Result<Vec<StatusKind>, &'static str> {
    let names = value.split(',').map(str::trim);
    let parse =
        |name| StatusKind::parse(name).ok_or("must be one or more of open, acknowledged, resolved");
    names.map(parse).collect()
}

#[cfg(test)]
mod tests;
