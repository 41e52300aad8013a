//! Queries of histories: every store must return the same page for the same query.

use super::Harness;
use super::sample::{append, head, open, raise_at, say, window};
use crate::{EventStore, QueryError};
use northgate_domain::{
    Alert, AlertQuery, Epoch, HistoryPage, HistoryRange, Location, MessageQuery, Position,
    Positioned, Search, Timestamp,
};
use std::sync::Arc;

/// The stored alerts: offset, message and location. The time of each raise is `offset` microseconds
/// after the start of 1970. The messages are at offsets 2 and 5.
const ALERTS: [(u64, &str, &str); 5] = [
    (1, "Über-Alarm: Disk \"sda1\" is full", "North Gate"),
    (3, "disk is fine", "South Gate"),
    (4, "DISK FULL again", "North Gate"),
    (6, "CPU hot at 95%", "Raum Ä/7"),
    (7, "disk* OR full^2 NOT (x)", "North Gate"),
];
const MESSAGES: [(u64, &str); 2] = [(2, "Café sda1?"), (5, "full of it")];

/// Opens a store with these alerts and messages. Its log retains only the newest two events.
async fn filled(harness: &dyn Harness) -> Arc<dyn EventStore> {
    let store = open(harness, window(2)).await;
    for offset in 1..=7 {
        let alert = ALERTS.iter().find(|(at, ..)| *at == offset);
        let submission = match (alert, MESSAGES.iter().find(|(at, _)| *at == offset)) {
            (Some((_, message, location)), _) => raise_at(location, message),
            (None, Some((_, message))) => say(message),
            (None, None) => panic!("the test data has nothing at offset {offset}"),
        };
        assert_eq!(append(store.as_ref(), submission).await.position.offset, offset);
    }
    store
}

/// Parses a query of a test table, for example `limit=3 after=2 q=disk`. The words of a search are
/// joined by `+`.
fn query(epoch: Epoch, text: &str) -> AlertQuery {
    let at = |offset: &str| Some(Position { epoch, offset: offset.parse().unwrap() });
    let moment = |micros: &str| Some(Timestamp::from_unix_micros(micros.parse().unwrap()));
    let mut query = AlertQuery::newest(100);
    for condition in text.split_whitespace() {
        let (name, value) = condition.split_once('=').unwrap();
        let range = &mut query.range;
        match name {
            "limit" => range.limit = value.parse().unwrap(),
            "after" => range.after = at(value),
            "before" => range.before = at(value),
            "as_of" => range.as_of = at(value),
            "since" => range.since = moment(value),
            "until" => range.until = moment(value),
            "q" => query.search = Search::parse(&value.replace('+', " ")).unwrap(),
            "location" => query.locations.push(Location::parse(&value.replace('+', " ")).unwrap()),
            _ => panic!("the test table has the unknown condition {condition}"),
        }
    }
    query
}

fn offsets<T>(snapshot: &HistoryPage<T>) -> Vec<u64> {
    snapshot.items.iter().map(|item| item.position.offset).collect()
}

/// A row of a table: a query, the offsets of the alerts on its page, `has_older` and `has_newer`.
type Row = (&'static str, &'static [u64], bool, bool);

/// Pages of queries without `as_of`.
const PAGES: &[Row] = &[
    ("", &[1, 3, 4, 6, 7], false, false),
    ("limit=0", &[], true, false),
    ("limit=2", &[6, 7], true, false),
    ("limit=5", &[1, 3, 4, 6, 7], false, false),
    // Positions without an alert, and positions whose events were trimmed.
    ("limit=2 before=5", &[3, 4], true, true),
    ("limit=2 before=4", &[1, 3], false, true),
    ("before=1", &[], false, true),
    ("before=0", &[], false, true),
    ("limit=2 after=0", &[1, 3], false, true),
    ("limit=2 after=1", &[3, 4], true, true),
    ("limit=2 after=5", &[6, 7], true, false),
    ("after=7", &[], true, false),
    ("after=1 before=6", &[3, 4], true, false),
    ("limit=1 after=1 before=6", &[3], true, true),
    ("after=4 before=6", &[], true, false),
    ("after=6 before=2", &[], true, false),
    ("after=7 before=0", &[], true, false),
    ("since=4", &[4, 6, 7], false, false),
    ("until=4", &[1, 3], false, false),
    ("since=3 until=6", &[3, 4], false, false),
    ("since=6 until=3", &[], false, false),
    ("since=2 limit=1 before=6", &[4], true, true),
    ("since=-9223372036854775808 until=9223372036854775807 limit=1", &[7], true, false),
    ("location=North+Gate", &[1, 4, 7], false, false),
    ("location=North+Gate limit=1 before=7", &[4], true, true),
    ("location=North+Gate after=1 limit=1", &[4], true, true),
    ("location=north+gate", &[], false, false),
    (
        "location=South+Gate location=North+Gate location=South+Gate limit=3",
        &[3, 4, 7],
        true,
        false,
    ),
    ("location=South+Gate location=North+Gate after=0 limit=2", &[1, 3], false, true),
    ("q=disk", &[1, 3, 4, 7], false, false),
    ("q=DISK+fu", &[1, 4, 7], false, false),
    ("q=fu+d limit=1", &[7], true, false),
    ("q=fu+d limit=1 after=1", &[4], true, true),
    ("q=uber", &[1], false, false),
    ("q=raum+a", &[6], false, false),
    ("q=gate", &[1, 3, 4, 7], false, false),
    ("q=gate location=South+Gate location=Raum+Ä/7", &[3], false, false),
    ("q=disk since=3 until=7", &[3, 4], false, false),
    ("q=95%", &[6], false, false),
    ("q=operator", &[], false, false),
    ("q=isk", &[], false, false),
    ("q=disk+x+nothing", &[], false, false),
];

/// Pages of queries with `as_of`. Alerts that were raised after `as_of` do not match, so no page
/// contains them.
const PAGES_AS_OF: &[Row] = &[
    ("as_of=7", &[1, 3, 4, 6, 7], false, false),
    ("as_of=6", &[1, 3, 4, 6], false, false),
    ("as_of=5 limit=2", &[3, 4], true, false),
    ("as_of=4 limit=2 before=4", &[1, 3], false, true),
    ("as_of=3 limit=2 before=4", &[1, 3], false, false),
    ("as_of=3 before=7", &[1, 3], false, false),
    ("as_of=0", &[], false, false),
    ("as_of=0 after=0", &[], false, false),
    ("as_of=4 after=0", &[1, 3, 4], false, false),
    ("as_of=4 after=0 limit=2", &[1, 3], false, true),
    ("as_of=4 after=4", &[], true, false),
    ("as_of=1 after=6", &[], true, false),
    ("as_of=4 location=North+Gate", &[1, 4], false, false),
    ("as_of=4 q=full", &[1, 4], false, false),
    ("as_of=4 since=3", &[3, 4], false, false),
];

/// A query of alerts must return the items, the position and the flags `has_older` and `has_newer`
/// of the tables above. `alert` must return the same state for each item.
pub async fn a_history_query_returns_the_requested_page(harness: &dyn Harness) {
    let store = filled(harness).await;
    let head = head(store.as_ref());
    for &(text, expected, has_older, has_newer) in PAGES.iter().chain(PAGES_AS_OF) {
        let found = store.alerts(query(head.epoch, text)).await.unwrap();
        assert_eq!(
            offsets(&found),
            expected,
            "the store returned a wrong page for the query `{text}`"
        );
        assert_eq!(
            (found.has_older, found.has_newer),
            (has_older, has_newer),
            "the store returned a wrong page for the query `{text}`"
        );
        assert_eq!(found.position, head, "the store returned a wrong page for the query `{text}`");
        for Positioned { position, value } in found.items {
            let alone = store.alert(value.id).await.unwrap();
            assert_eq!(
                alone,
                Some(Positioned { position, value }),
                "the store returned a wrong page for the query `{text}`"
            );
        }
    }
}

/// A query of messages must return the items and flags of this table. A search covers the text and
/// the sender.
pub async fn message_queries_return_the_requested_page(harness: &dyn Harness) {
    let store = filled(harness).await;
    let head = head(store.as_ref());
    for (text, expected, has_older, has_newer) in [
        ("", &[2, 5][..], false, false),
        ("limit=1", &[5], true, false),
        ("limit=1 after=0", &[2], false, true),
        ("before=5", &[2], false, true),
        ("since=3", &[5], false, false),
        ("q=cafe", &[2], false, false),
        ("q=operator+full", &[5], false, false),
        ("q=disk", &[], false, false),
    ] {
        let AlertQuery { range, search, .. } = query(head.epoch, text);
        let query = MessageQuery { range, search, ..MessageQuery::default() };
        let found = store.messages(query).await.unwrap();
        assert_eq!(
            offsets(&found),
            expected,
            "the store returned a wrong page for the query `{text}`"
        );
        assert_eq!(
            (found.has_older, found.has_newer),
            (has_older, has_newer),
            "the store returned a wrong page for the query `{text}`"
        );
    }
}

/// A search must match words only. No part of a search text may act as an operator of the store's
/// own query language.
pub async fn a_search_matches_words_and_has_no_operators(harness: &dyn Harness) {
    let store = filled(harness).await;
    let all = store.alerts(AlertQuery::newest(100)).await.unwrap().items;
    let x = "x".repeat(Search::MAX_CHARS);
    let x_again = "x ".repeat(Search::MAX_CHARS / 2);
    let ligatures = "\u{fdfa}".repeat(200);
    for search in [
        x.as_str(),
        x_again.as_str(),
        ligatures.as_str(),
        "\"",
        "\"\"",
        "'",
        "';--",
        "*",
        "disk*",
        "\"disk\"*",
        "disk OR cpu",
        "disk AND",
        "NOT disk",
        "NEAR(disk full, 2)",
        "words:disk",
        "-disk",
        "{words}: disk",
        "^disk",
        "disk + full",
        "(",
        "\0",
        "di\0sk",
        "\u{feff}disk",
        "\u{1F6A8}",
        "%",
        "_",
        "d_sk",
        "\\",
        "disk\\",
        "ﬀ",
        "ẞ",
        "\u{fdfa}",
        "a\u{300}\u{301}\u{302}",
        "١",
        "漢字",
        "\u{202e}ksid",
    ] {
        let search = Search::parse(search).unwrap();
        let expected: Vec<&Positioned<Alert>> =
            all.iter().filter(|alert| search.matches(&alert.value.search_text())).collect();
        let query = AlertQuery { search: search.clone(), ..AlertQuery::newest(100) };
        let found = store.alerts(query).await.unwrap().items;
        assert_eq!(
            found.iter().collect::<Vec<_>>(),
            expected,
            "the store returned wrong items for the search {search:?}"
        );
    }
}

/// A query with a position of another epoch or beyond the head must return `Foreign`.
pub async fn a_history_refuses_foreign_positions(harness: &dyn Harness) {
    let store = filled(harness).await;
    let head = head(store.as_ref());
    let other = Position { epoch: Epoch::new(head.epoch.get().wrapping_add(1)), offset: 3 };
    for foreign in [other, head.advanced_by(1), Position { offset: u64::MAX, ..head }] {
        for (after, before, as_of) in [
            (Some(foreign), None, None),
            (None, Some(foreign), None),
            (Some(head), Some(foreign), None),
            (None, None, Some(foreign)),
            (Some(head), Some(head), Some(foreign)),
        ] {
            let range = HistoryRange { after, before, as_of, ..HistoryRange::newest(10) };
            let alerts = AlertQuery { range, ..AlertQuery::default() };
            assert_eq!(store.alerts(alerts).await, Err(QueryError::Foreign));
            let messages = MessageQuery { range, ..MessageQuery::default() };
            assert_eq!(store.messages(messages).await, Err(QueryError::Foreign));
        }
    }
}

/// Reads all matching alerts page by page and returns their offsets.
async fn paged_offsets(store: &dyn EventStore, mut query: AlertQuery, upwards: bool) -> Vec<u64> {
    query.range.after = upwards.then(|| Position::start(head(store).epoch));
    let mut paged_offsets = Vec::new();
    loop {
        let page = store.alerts(query.clone()).await.unwrap();
        if upwards {
            let last = page.items.last().map(|item| item.position);
            query.range.after = page.examined_to.or(last);
            paged_offsets.extend(offsets(&page));
        } else {
            let first = page.items.first().map(|item| item.position);
            query.range.before = page.examined_to.or(first);
            paged_offsets.splice(0..0, offsets(&page));
        }
        if !(if upwards { page.has_newer } else { page.has_older }) {
            return paged_offsets;
        }
    }
}

/// Reading a history page by page must return every matching item exactly once, in both directions.
/// A page may end at any of three limits: the number of items, their bytes, or the number of
/// examined items.
pub async fn pages_of_a_history_join_without_a_gap_or_a_repeat(harness: &dyn Harness) {
    let store = filled(harness).await;
    let head = head(store.as_ref());
    for text in [
        "",
        "q=disk",
        "q=f",
        "q=d location=North+Gate",
        "since=3",
        "location=Raum+Ä/7",
        "location=Raum+Ä/7 location=North+Gate",
    ] {
        let all = store.alerts(query(head.epoch, text)).await.unwrap();
        for (limit, max_bytes, max_scanned) in [
            (1, usize::MAX, usize::MAX),
            (2, usize::MAX, usize::MAX),
            (6, usize::MAX, usize::MAX),
            (6, 0, usize::MAX),
            (6, 1_200, usize::MAX),
            (6, usize::MAX, 1),
            (2, usize::MAX, 2),
            (1, 0, 3),
        ] {
            for upwards in [true, false] {
                let mut query = query(head.epoch, text);
                let bounds = HistoryRange { limit, max_bytes, max_scanned, ..query.range };
                query.range = bounds;
                let paged_offsets = paged_offsets(store.as_ref(), query, upwards).await;
                assert_eq!(
                    paged_offsets,
                    offsets(&all),
                    "the pages of the query `{text}` with {bounds:?} do not add up to all its items"
                );
            }
        }
    }
}

/// A page must end before it exceeds `max_bytes`. The first item is always contained, even if that
/// item alone is larger.
pub async fn a_page_of_a_history_is_bounded_in_bytes(harness: &dyn Harness) {
    let store = filled(harness).await;
    let all = store.alerts(AlertQuery::newest(100)).await.unwrap().items;
    let sizes: Vec<_> = all.iter().map(|alert| alert.value.approximate_bytes()).collect();
    let newest_two = sizes[3] + sizes[4];
    for (max_bytes, expected) in [
        (0, &[7][..]),
        (newest_two - 1, &[7]),
        (newest_two, &[6, 7]),
        (usize::MAX, &[1, 3, 4, 6, 7]),
    ] {
        let range = HistoryRange { max_bytes, ..HistoryRange::newest(100) };
        let page = store.alerts(AlertQuery { range, ..AlertQuery::default() }).await.unwrap();
        assert_eq!(
            offsets(&page),
            expected,
            "the store returned a wrong page for a limit of {max_bytes} bytes"
        );
        assert_eq!(
            page.has_older,
            expected.len() < 5,
            "the store returned a wrong page for a limit of {max_bytes} bytes"
        );
    }
}
