//! Tests of the query strings of histories, and of the page links.

use super::*;
use crate::conditions::VALUES_MAX;
use northgate_domain::Epoch;
use proptest::prelude::*;

fn request(query: &str) -> AlertQuery {
    parse_history(query).unwrap().0
}

fn at(offset: u64) -> Position {
    Position { epoch: Epoch::new(0xab), offset }
}

#[test]
fn an_empty_query_selects_the_newest_ten_items() {
    let newest = AlertQuery::newest(10);
    for query in ["", "x=1", "Limit=3", "=&&", "q=", "q=+!"] {
        assert_eq!(parse_history(query), Ok((newest.clone(), Order::Asc)), "{query}");
    }
    for query in ["q=x", "status=open", "min_severity=info", "since=2025-07-24T14:23:00Z"] {
        assert_ne!(request(query), newest, "{query}");
    }
    assert_eq!(request("").range.limit, 10);
}

#[test]
fn timestamps_accept_any_zone_and_a_space_for_an_unescaped_plus() {
    let utc = request("since=2025-07-24T14:23:00Z").range.since;
    assert_eq!(utc, Some(Timestamp::from_unix_micros(1_753_366_980_000_000)));
    for query in [
        "since=2025-07-24T16:23:00%2B02:00",
        "since=2025-07-24T16:23:00+02:00",
        "since=2025-07-24+14:23:00.000000z",
        "since=2025-07-24T12:23:00.0000001-02:00",
    ] {
        assert_eq!(request(query).range.since, utc, "{query}");
    }
}

#[test]
fn every_bad_parameter_is_named_once() {
    for (query, names) in [
        ("limit=0", vec!["limit"]),
        ("limit=1001&limit=x", vec!["limit"]),
        ("limit=-1&after=7&before=&order=up", vec!["after", "before", "limit", "order"]),
        ("since=yesterday&until=2025-07-24", vec!["since", "until"]),
        ("since=2025-13-24T14:23:00Z", vec!["since"]),
        ("since=\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}", vec!["since"]),
        ("location=&location=%00", vec!["location"]),
        ("status=open,closed&source=", vec!["source", "status"]),
        ("severity=bad&min_severity=error,info", vec!["min_severity", "severity"]),
        ("severity=error&min_severity=error", vec!["min_severity"]),
        ("label.=x", vec!["label"]),
        ("label.a%20b=x&label.host=", vec!["label", "label.host"]),
    ] {
        let findings = parse_history(query).unwrap_err();
        let found: Vec<_> = findings.sorted().into_iter().map(|(name, _)| name).collect();
        assert_eq!(found, names, "{query}");
    }
    let long = format!("q={}", "x".repeat(Search::MAX_CHARS + 1));
    assert_eq!(parse_history(&long).unwrap_err().sorted()[0].0, "q");
    for name in ["location", "source", "label.host"] {
        let many: Vec<_> = (0..=VALUES_MAX).map(|n| format!("{name}={n}")).collect();
        let findings = parse_history(&many.join("&")).unwrap_err();
        assert_eq!(findings.sorted()[0].0, name.split('.').next().unwrap());
    }
}

/// Returns a page with older and newer pages beside it.
fn page(items: &[u64], examined_to: Option<u64>) -> HistoryPage<()> {
    let item = |offset: &u64| Positioned { position: at(*offset), value: () };
    HistoryPage {
        position: at(99),
        items: items.iter().map(item).collect(),
        has_older: true,
        has_newer: true,
        examined_to: examined_to.map(at),
    }
}

fn links(query: &str, items: &[u64], has_older: bool, has_newer: bool) -> (String, String) {
    let page = HistoryPage { has_older, has_newer, ..page(items, None) };
    let (query, order) = parse_history(query).unwrap();
    let PageLinks { next, previous } = super::links(&query, order, &page);
    let plain = |link: Option<String>| {
        link.unwrap_or_default().replace("00000000000000ab-", "p").replace('?', "")
    };
    (plain(previous), plain(next))
}

#[test]
fn links_lead_to_the_neighbouring_pages() {
    let at = |query: &str| query.replace('p', "00000000000000ab-");
    for (query, items, previous, next) in [
        ("", &[5, 7][..], "limit=10&before=p5", "limit=10&after=p7"),
        ("before=p8", &[5, 7], "limit=10&before=p5", "limit=10&after=p7"),
        ("after=p4", &[5, 7], "limit=10&before=p5", "limit=10&after=p7"),
        ("after=p4&before=p9", &[5], "limit=10&before=p5", "limit=10&after=p5&before=p9"),
        ("before=p3", &[], "limit=10&before=p3", "limit=10&after=p0"),
        ("after=p9", &[], "limit=10", "limit=10"),
        ("after=p4&before=p6", &[], "limit=10&before=p6", "limit=10&after=p0"),
    ] {
        let found = links(&at(query), items, true, true);
        assert_eq!(found, (previous.to_owned(), next.to_owned()), "{query}");
    }
    assert_eq!(links("", &[5], false, false), (String::new(), String::new()));
}

#[test]
fn links_continue_where_an_incomplete_scan_stopped() {
    let page = |examined_to| page(&[5, 7], Some(examined_to));
    let asked = request("q=x");
    let PageLinks { next, previous } = super::links(&asked, Order::Asc, &page(2));
    assert_eq!(previous.unwrap(), "?limit=10&before=00000000000000ab-2&q=x");
    assert_eq!(next.unwrap(), "?limit=10&after=00000000000000ab-7&q=x");
    assert_eq!(Continuation::of(&asked, &page(2)), Some(Continuation::Before(PositionText(at(2)))));

    let asked = request("q=x&after=00000000000000ab-4&before=00000000000000ab-40");
    let PageLinks { next, previous } = super::links(&asked, Order::Asc, &page(30));
    assert_eq!(previous.unwrap(), "?limit=10&before=00000000000000ab-5&q=x");
    let expected = "?limit=10&after=00000000000000ab-30&before=00000000000000ab-40&q=x";
    assert_eq!(next.unwrap(), expected);
    assert_eq!(
        Continuation::of(&asked, &page(30)),
        Some(Continuation::After(PositionText(at(30))))
    );
}

#[test]
fn the_continuation_follows_the_direction_of_the_query() {
    let rest = |query: &str, has_older, has_newer| {
        let page = HistoryPage { has_older, has_newer, ..page(&[5, 7], None) };
        Continuation::of(&request(&query.replace('p', "00000000000000ab-")), &page)
    };
    let before = Some(Continuation::Before(PositionText(at(5))));
    let after = Some(Continuation::After(PositionText(at(7))));
    for (query, older, newer) in [
        ("q=x", before, None),
        ("before=p8", before, None),
        ("after=p4", None, after),
        ("after=p4&before=p9", None, after),
    ] {
        assert_eq!(rest(query, true, false), older, "{query}");
        assert_eq!(rest(query, false, true), newer, "{query}");
        assert_eq!(rest(query, false, false), None, "{query}");
    }
}

#[test]
fn links_repeat_the_filters_and_the_order() {
    let query = "order=desc&q=caf%C3%A9+%26&location=A%2BB&location=C&until=2025-07-24T14:23:00Z\
                 &since=2025-07-24T16:00:00%2B02:00&limit=3&status=open,resolved&source=a%26b\
                 &min_severity=error&label.host=x&label.a/b=%C3%A4";
    let (previous, _) = links(query, &[5], true, false);
    assert_eq!(
        previous,
        "limit=3&before=p5&since=2025-07-24T14%3A00%3A00.000000Z\
         &until=2025-07-24T14%3A23%3A00.000000Z&location=A%2BB&location=C&source=a%26b\
         &status=open&status=resolved&min_severity=error&label.host=x&label.a%2Fb=%C3%A4\
         &q=caf%C3%A9+%26&order=desc"
    );
    let again = parse_history(&previous.replace("before=p", "before=00000000000000ab-"));
    let (mut again, order) = again.unwrap();
    again.range.before = None;
    assert_eq!((again, order), parse_history(query).unwrap());
}

proptest! {
    #[test]
    fn any_query_is_parsed_without_a_panic(query in "\\PC*|[a-z=&%0-9,+:TZ-]{0,80}") {
        let _ = parse_history(&query);
        let _ = moment("since", &query);
    }
}
