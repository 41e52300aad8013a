//! The collections of alerts and messages: ranges, filters, order and page links, for every store.

use northgate_testkit::{TestServer, set_window};
use serde_json::{Value, json};

fn texts(collection: &Value, member: &str) -> Vec<String> {
    let items = collection[member].as_array().unwrap();
    assert_eq!(collection["count"], items.len());
    items.iter().map(|item| item["message"].as_str().unwrap().to_owned()).collect()
}

fn alerts(server: &TestServer, path: &str) -> Vec<String> {
    texts(&server.get(path).json(), "alerts")
}

fn position(event: &Value) -> &str {
    event["position"].as_str().unwrap()
}

#[test]
fn page_links_reach_every_item_once_in_both_directions() {
    let server = TestServer::start();
    let posted = server.say("before all");
    let raised: Vec<_> = (0..25).map(|n| server.raise(&format!("alert {n}"))).collect();
    let all: Vec<_> = (0..25).map(|n| format!("alert {n}")).collect();

    for path in ["/alerts", "/alerts/history"] {
        let (mut collected, mut next) = (Vec::<String>::new(), Some(format!("{path}?limit=7")));
        while let Some(link) = next {
            let page = server.get(&link).json();
            collected.splice(0..0, texts(&page, "alerts"));
            assert_eq!(page["position"], raised[24]["position"]);
            // The link is only a query, so it works for any host and prefix that the client uses.
            next = page["previous"].as_str().map(|query| {
                assert!(query.starts_with("?limit=7&"), "{query}");
                format!("{path}{query}")
            });
        }
        assert_eq!(collected, all);
    }
    let (mut collected, mut next) =
        (Vec::new(), Some(format!("/alerts/?limit=6&order=desc&after={}", position(&posted))));
    while let Some(link) = next {
        let page = server.get(&link).json();
        let mut shown = texts(&page, "alerts");
        shown.reverse();
        collected.extend(shown);
        next = page["next"].as_str().map(|query| format!("/alerts/{query}"));
    }
    assert_eq!(collected, all, "`order` changes only the order within a page");

    let range =
        format!("/alerts?after={}&before={}&limit=2", position(&raised[3]), position(&raised[7]));
    let first = server.get(&range).json();
    assert_eq!(texts(&first, "alerts"), ["alert 4", "alert 5"]);
    let second = server.get(&format!("/alerts{}", first["next"].as_str().unwrap())).json();
    assert_eq!(texts(&second, "alerts"), ["alert 6"]);
    assert_eq!(second["next"], Value::Null);
}

#[test]
fn alerts_and_messages_are_found_by_words_location_and_time() {
    let server = TestServer::start();
    server.raise_at("Gate Ü+1", "Café: Disk FULL");
    server.raise_at("Gate 2", "disk is fine");
    let moment = server.raise_at("Gate 2", "later")["timestamp"].as_str().unwrap().to_owned();
    server.say("the disk?");
    for (query, expected) in [
        ("q=disk", vec!["Café: Disk FULL", "disk is fine"]),
        ("q=DISK+cafe", vec!["Café: Disk FULL"]),
        ("q=gate+u", vec!["Café: Disk FULL"]),
        ("q=%22disk%22+OR+later", vec![]),
        ("q=isk", vec![]),
        ("q=", vec!["Café: Disk FULL", "disk is fine", "later"]),
        ("location=Gate+%C3%9C%2B1", vec!["Café: Disk FULL"]),
        ("location=Gate+2&location=x&order=desc", vec!["later", "disk is fine"]),
        ("location=Gate+2&q=disk", vec!["disk is fine"]),
        (&format!("since={moment}"), vec!["later"]),
        (&format!("until={moment}&limit=1"), vec!["disk is fine"]),
        ("since=2999-01-01T00:00:00Z", vec![]),
    ] {
        assert_eq!(alerts(&server, &format!("/alerts?{query}")), expected, "{query}");
    }
    let posted = server.get("/message/?q=oper+dis&location=nowhere").json();
    assert_eq!(texts(&posted, "chatMessages"), ["the disk?"], "messages have no location");
}

#[test]
fn an_alert_is_returned_by_its_id() {
    let server = TestServer::start();
    let alert = server.raise("fire");
    let id = alert["id"].as_str().unwrap();
    let posted = server.say("x");
    assert_eq!(server.get(&format!("/alerts/{id}")).json(), alert);
    assert_eq!(server.get(&format!("/alerts/{}/", id.to_uppercase())).json(), alert);
    let chat = posted["id"].as_str().unwrap();
    for other in [chat, "00000000-0000-4000-8000-000000000000", "x", "%00", "history%2Fx"] {
        let problem = server.get(&format!("/alerts/{other}")).problem(404);
        assert_eq!(problem["type"], "urn:northgate:problem:no-such-alert", "{other}");
    }
}

#[test]
fn a_position_of_another_log_is_410() {
    let server = TestServer::start();
    let alert = server.raise("fire");
    let (epoch, _) = position(&alert).split_once('-').unwrap();
    let beyond = format!("{epoch}-2");
    for path in ["/alerts", "/alerts/history", "/message/"] {
        for name in ["after", "before"] {
            for foreign in ["0123456789abcdef-1", &beyond] {
                let problem = server.get(&format!("{path}?{name}={foreign}")).problem(410);
                assert_eq!(problem["type"], "urn:northgate:problem:foreign-position");
            }
        }
    }
}

#[test]
fn every_bad_query_parameter_is_reported_by_name() {
    let server = TestServer::start();
    for path in ["/alerts", "/alerts/history", "/message/"] {
        let query = "limit=0&after=x&before=&since=now&until=2025&order=up&location=&q=ok";
        let problem = server.get(&format!("{path}?{query}")).problem(400);
        let errors = problem["errors"].as_array().unwrap();
        let named: Vec<_> = errors.iter().map(|e| e["parameter"].as_str().unwrap()).collect();
        assert_eq!(named, ["after", "before", "limit", "location", "order", "since", "until"]);
        assert!(errors.iter().all(|e| !e["detail"].as_str().unwrap().is_empty()), "{problem}");
    }
    let long = server.get(&format!("/alerts?q={}", "x".repeat(257))).problem(400);
    assert_eq!(
        long["errors"],
        json!([{ "parameter": "q", "detail": "must be at most 256 characters long" }])
    );
}

#[test]
fn an_alert_stays_listed_after_its_event_is_trimmed() {
    let server = TestServer::with(|settings| set_window(settings, 4));
    let raised: Vec<_> = (0..20).map(|n| server.raise(&format!("alert {n}"))).collect();
    let old = position(&raised[3]);
    let page = server.get(&format!("/alerts?after={old}&limit=2")).json();
    assert_eq!(page["alerts"], json!([raised[4], raised[5]]), "a trimmed position is fine");
}
