//! Tests of the query strings of streams, and of their filters.

use super::*;
use crate::conditions::VALUES_MAX;
use northgate_domain::{AlertFacets, Epoch, Facets, Labels, Position};
use proptest::prelude::*;

fn request(query: &str) -> Subscription {
    parse_subscription(query).unwrap()
}

fn findings(query: &str) -> Vec<String> {
    let findings = parse_subscription(query).unwrap_err();
    findings.sorted().into_iter().map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn a_query_without_known_parameters_asks_for_no_notices() {
    for query in ["", "x=1", "order=asc", "=", "&&", "token=%ff", "lastEventId="] {
        assert!(!request(query).is_announced(), "{query}");
    }
}

#[test]
fn after_and_last_set_the_start_of_a_stream() {
    let position = Position { epoch: Epoch::new(0xab), offset: 7 };
    assert_eq!(request("after=00000000000000ab-7").start, StartFrom::After(position));
    assert_eq!(request("last=0").start, StartFrom::Last(0));
    assert_eq!(request("last=1000").start, StartFrom::Last(1_000));
}

#[test]
fn last_event_id_overrides_after_and_last() {
    let position = Position { epoch: Epoch::new(0xab), offset: 7 };
    let known = "00000000000000ab-7";
    for name in ["lastEventId", "lastEventID", "Last-Event-ID", "last_event_id"] {
        let query = format!("last=3&{name}=00000000000000ab-1&{name}={known}");
        assert_eq!(request(&query).start, StartFrom::After(position), "{query}");
        for unknown in ["42", "null", "undefined", "00000000000000AB-7", "a,b", "urn:uuid:x"] {
            let query = format!("after={known}&{name}={unknown}");
            assert_eq!(request(&query).start, StartFrom::Gap, "{query}");
            assert!(request(&query).is_announced());
        }
        assert_eq!(request(&format!("{name}=&last=3")).start, StartFrom::Last(3));
    }
    assert_eq!(request("last=3").resumed(Some(position)).start, StartFrom::After(position));
}

#[test]
fn live_every_is_one_to_sixty_whole_seconds() {
    for seconds in [1, 5, 60] {
        let subscription = request(&format!("live_every={seconds}s"));
        assert_eq!(subscription.live_every, Some(Duration::from_secs(seconds)));
        assert!(subscription.is_announced());
        assert_eq!(subscription.resumed(None).live_every, Some(Duration::from_secs(seconds)));
    }
    assert_eq!(request("last=1").live_every, None);
    for bad in
        ["", "s", "0s", "61s", "5", "5S", "5%20s", "-5s", "%2B5s", "1.5s", "500ms", "1m", "off"]
    {
        let errors = parse_subscription(&format!("live_every={bad}")).unwrap_err();
        let expected = [("live_every", "must be 1s to 60s, in whole seconds")];
        assert_eq!(errors.sorted(), expected, "{bad:?}");
    }
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    let label = |(name, value): &(&str, &str)| parse_label(name, value).unwrap();
    Labels::new(pairs.iter().map(label).collect()).unwrap()
}

#[test]
fn an_event_must_match_all_filters() {
    use EventType::{Alert, AlertUpdate, Chat};
    let alert = |kind, location: &str, severity| Facets {
        kind,
        alert: Some(AlertFacets {
            location: Location::parse(location).unwrap(),
            source: location.starts_with('S').then(|| Source::parse("camera-7").unwrap()),
            severity,
            labels: labels(&[("zone", &location[..5]), ("a", "b")]),
        }),
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
        ("source=camera-7", [false, true, false, false]),
        ("source=camera-7&source=x&severity=info", [false; 4]),
        ("label.zone=South", [false, true, false, false]),
        ("label.zone=South&label.a=b&label.zone=North", [true, true, false, false]),
        ("label.zone=South&label.a=c&label.zone=North", [false; 4]),
        ("label.other=South&types=alert,alert_update,chat", [false; 4]),
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
        ("source=", vec!["source"]),
        ("label.9=x", vec!["label"]),
        ("label.x=", vec!["label.x"]),
        ("status=open&type=alert&locations=x", vec!["locations", "status", "type"]),
        ("After=3&source[]=x&Min-Severity=error", vec!["After", "Min-Severity", "source[]"]),
        ("min_severity=error&min_severity=info", vec!["min_severity"]),
        ("live_every=5s&live_every=5s", vec!["live_every"]),
        (
            "liveEvery=5s&LIVE_EVERY=x&live-every[]=",
            vec!["LIVE_EVERY", "live-every[]", "liveEvery"],
        ),
    ] {
        assert_eq!(findings(query), names, "{query}");
    }
}

#[test]
fn the_size_of_a_filter_is_bounded() {
    for name in ["location", "source", "label"] {
        let parameter = |n| match name {
            "label" => format!("label.a{n}=x"),
            _ => format!("{name}=x{n}&types=alert"),
        };
        let query = |count| (0..count).map(parameter).collect::<Vec<_>>().join("&");
        assert!(request(&query(VALUES_MAX)).is_announced());
        assert_eq!(findings(&query(VALUES_MAX + 1)), [name]);
        assert_eq!(findings(&query(5_000)), [name]);
    }
    assert_eq!(findings(&format!("types={}", "x,".repeat(5_000))), ["types"]);
    let spellings =
        (0..5_000).map(|n| format!("t{}ype=x", "-".repeat(n % 100))).collect::<Vec<_>>();
    assert_eq!(findings(&spellings.join("&")).len(), MOST_REFUSED_NAMES);
    let severities = request(&format!("severity=info{}", ",error".repeat(5_000))).filter.severities;
    assert_eq!(severities, [Severity::Info, Severity::Error]);
}

#[test]
fn the_openapi_schema_lists_the_event_types() {
    let schema = serde_json::to_value(EventTypeName::schema()).unwrap();
    let described = serde_json::json!({
        "type": "string",
        "description": "The type of an event, as in its member `type`.",
        "enum": ["alert", "alert_update", "chat"],
    });
    assert_eq!(schema, described);
}

proptest! {
    #[test]
    fn any_query_is_parsed_without_a_panic(query in "\\PC*|[a-z=&%0-9,+-]{0,80}") {
        let _ = parse_subscription(&query);
    }
}
