//! Answers over the size limit end early, and page links or a `rest` filter lead to the other
//! alerts.

use northgate_testkit::TestServer;
use serde_json::{Value, json};

/// A text of `characters` characters, each four bytes long in UTF-8.
fn text(characters: usize) -> String {
    "\u{1F525}".repeat(characters)
}

/// Raises one of the largest alerts that fit into a body of 64 KiB.
fn raise_large(server: &TestServer) -> Value {
    let labels: serde_json::Map<_, _> =
        (0..32).map(|n| (format!("{n:_>64}"), json!(text(256)))).collect();
    let body = json!({
        "message": text(4_096),
        "location": text(256),
        "source": text(128),
        "url": format!("https://x/{}", "u".repeat(2_000)),
        "labels": labels,
    });
    let answer = server.post("/alerts", body.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[test]
fn a_large_collection_is_split_into_pages_by_bytes() {
    let server = TestServer::start();
    let raised: Vec<_> = (0..90).map(|_| raise_large(&server)["id"].clone()).collect();
    let mut collected = Vec::new();
    let mut next = Some("/alerts?limit=1000".to_owned());
    let mut pages = 0;
    while let Some(link) = next {
        let answer = server.get(&link);
        assert!(answer.body.len() < 3 * 1024 * 1024, "{} bytes", answer.body.len());
        let page = answer.json();
        let alerts = page["alerts"].as_array().unwrap();
        assert!((10..90).contains(&alerts.len()), "{} alerts", alerts.len());
        assert_eq!(page["count"], alerts.len());
        collected.splice(0..0, alerts.iter().map(|alert| alert["id"].clone()));
        next = page["previous"].as_str().map(|query| format!("/alerts{query}"));
        pages += 1;
    }
    assert_eq!(collected, raised);
    assert!(pages > 1);
}

#[test]
fn ten_alerts_of_the_largest_size_fit_into_one_answer() {
    let server = TestServer::start();
    for _ in 0..10 {
        let alert = raise_large(&server);
        let path = format!("/alerts/{}/notes", alert["id"].as_str().unwrap());
        for _ in 0..20 {
            let note = json!({ "by": text(128), "note": text(1_024) });
            assert_eq!(server.post(&path, note.to_string()).status, 200);
        }
    }
    let history = server.get("/alerts/history").json();
    assert_eq!(history["count"], 10);
    assert_eq!(history["previous"], Value::Null);
    for alert in history["alerts"].as_array().unwrap() {
        assert_eq!(alert["notes"].as_array().unwrap().len(), 20);
    }
}

#[test]
fn the_timeline_of_a_large_alert_is_split_into_pages_by_bytes() {
    let server = TestServer::start();
    let alert = raise_large(&server);
    let path = format!("/alerts/{}", alert["id"].as_str().unwrap());
    for number in 0..90 {
        let note = json!({ "by": "Anna", "note": number.to_string() });
        assert_eq!(server.post(&format!("{path}/notes"), note.to_string()).status, 200);
    }
    let (mut collected, mut pages) = (Vec::new(), 0);
    let mut next = Some("?limit=1000".to_owned());
    while let Some(link) = next {
        let answer = server.get(&format!("{path}/timeline{link}"));
        assert!(answer.body.len() < 200 * 1024, "{} bytes", answer.body.len());
        let page = answer.json();
        let events = page["events"].as_array().unwrap();
        assert!((1..90).contains(&events.len()), "{} events", events.len());
        let revisions = events.iter().map(|event| event["revision"].as_u64().unwrap());
        collected.splice(0..0, revisions.collect::<Vec<_>>());
        assert_eq!(page["complete"], true);
        next = page["previous"].as_str().map(str::to_owned);
        pages += 1;
    }
    assert_eq!(collected, (1..=91).collect::<Vec<_>>());
    assert!(pages > 1);
}

#[test]
fn acting_on_many_large_alerts_continues_with_the_rest_filter() {
    let server = TestServer::start();
    for _ in 0..90 {
        raise_large(&server);
    }
    let mut filter = json!({ "severity": "warning" });
    let mut acted_on = 0;
    loop {
        let body = json!({ "action": "resolve", "by": "Anna", "filter": filter });
        let answer = server.post("/alerts/actions", body.to_string());
        assert!(answer.body.len() < 200 * 1024, "{} bytes", answer.body.len());
        let done = answer.json();
        assert_eq!(done["changed"], done["count"]);
        acted_on += done["count"].as_u64().unwrap();
        let Some(rest) = done["rest"].as_object() else { break };
        filter.as_object_mut().unwrap().extend(rest.clone());
    }
    assert_eq!(acted_on, 90);
    assert_eq!(server.get("/alerts/summary").json()["by_status"]["resolved"], 90);
}
