//! The timeline of an alert: stored events, changes that only the state shows, pages and limits.

use northgate_testkit::{TestServer, set_window};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

fn post(server: &TestServer, path: &str, body: &Value) -> Value {
    let answer = server.post(path, body.to_string());
    assert_eq!(answer.status, 200, "{path} {body}: {answer:?}");
    answer.json()
}

fn raise(server: &TestServer) -> Value {
    let body = json!({ "message": "Fire", "location": "Gate", "dedup_key": "fire" });
    post(server, "/alerts", &body)
}

fn act(server: &TestServer, alert: &Value, action: &str, body: &Value) -> Value {
    post(server, &format!("/alerts/{}/{action}", alert["id"].as_str().unwrap()), body)
}

fn path(alert: &Value) -> String {
    format!("/alerts/{}/timeline", alert["id"].as_str().unwrap())
}

/// Gets a page of the timeline and checks its `count` and the order of its entries.
fn timeline(server: &TestServer, path: &str) -> Value {
    let answer = server.get(path);
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let page = answer.json();
    let events = page["events"].as_array().unwrap();
    assert_eq!(page["count"], events.len());
    let numbers: Vec<_> = events.iter().filter_map(|event| event["revision"].as_u64()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
    page
}

fn changes(page: &Value) -> Vec<String> {
    let text = |event: &Value| {
        let of = |name: &str| event[name].as_str().map(str::to_owned);
        let parts = ["type", "change", "by", "note"].into_iter().filter_map(of);
        parts.collect::<Vec<_>>().join(" ")
    };
    page["events"].as_array().unwrap().iter().map(text).collect()
}

/// Raises an alert, repeats it, and performs every action on it. Returns the alert after each
/// event.
fn live(server: &TestServer) -> Vec<Value> {
    let raised = raise(server);
    let more = json!({
        "message": "Fire", "location": "Gate", "dedup_key": "fire", "severity": "critical"
    });
    let repeated = post(server, "/alerts", &more);
    let act = |action, body| act(server, &raised, action, &body);
    vec![
        raised.clone(),
        repeated,
        act("acknowledge", json!({ "by": "Anna", "note": "On my way" })),
        act("notes", json!({ "by": "Ben", "note": "It is hot" })),
        act("resolve", json!({ "by": "Anna" })),
        act("reopen", json!({ "by": "Ben", "note": "It burns again" })),
        act("acknowledge", json!({ "by": "Ben" })),
        act("unacknowledge", json!({ "by": "Ben" })),
    ]
}

#[test]
fn the_timeline_of_an_alert_contains_its_complete_life() {
    let server = TestServer::start();
    let mut socket = server.socket_with("types=alert,alert_update,chat");
    server.raise("another alert");
    let states = live(&server);
    act(&server, &states[0], "unacknowledge", &json!({ "by": "Anna", "note": "no effect" }));
    let frames: Vec<_> = std::iter::repeat_with(|| socket.next_json())
        .filter(|frame| frame["id"] == states[0]["id"])
        .take(8)
        .collect();
    let chat = json!({ "sender": "Anna", "message": "x", "alert_id": states[0]["id"] });
    let said = post(&server, "/message/", &chat);

    let events: Vec<_> = states
        .iter()
        .zip(&frames)
        .map(|(state, frame)| {
            let mut entry = json!({
                "type": frame["type"],
                "change": frame.get("change").unwrap_or(&json!("raised")),
                "at": state["updated_at"],
                "severity": state["severity"],
                "status": state["status"],
                "count": state["count"],
                "revision": state["revision"],
                "position": frame["position"],
            });
            for member in ["by", "note"] {
                if let Some(value) = frame.get(member) {
                    entry[member] = value.clone();
                }
            }
            entry
        })
        .collect();
    let page = timeline(&server, &path(&states[0]));
    assert_eq!(
        page,
        json!({
            "alert": states[7], "events": events, "count": 8, "complete": true,
            "position": said["position"], "previous": null
        })
    );
    assert_eq!(
        changes(&page),
        [
            "alert raised",
            "alert_update repeated",
            "alert_update acknowledged Anna On my way",
            "alert_update annotated Ben It is hot",
            "alert_update resolved Anna",
            "alert_update reopened Ben It burns again",
            "alert_update acknowledged Ben",
            "alert_update unacknowledged Ben",
        ]
    );
    assert_eq!(page["events"][1]["count"], 2);
    assert_eq!(page["events"][1]["severity"], "critical");
}

#[test]
fn changes_whose_events_were_trimmed_are_shown_from_the_state() {
    let server = TestServer::with(|settings| set_window(settings, 5));
    let alert = raise(&server);
    let at = |name: &str, state: &Value| state[name].clone();
    let acknowledge = json!({ "by": "Anna", "note": "On my way" });
    let acknowledged = act(&server, &alert, "acknowledge", &acknowledge);
    let noted = act(&server, &alert, "notes", &json!({ "by": "Ben", "note": "It is hot" }));
    let resolved = act(&server, &alert, "resolve", &json!({ "by": "Anna", "note": "Out" }));
    let complete = timeline(&server, &path(&alert));
    assert_eq!((&complete["complete"], &complete["count"]), (&json!(true), &json!(4)));
    let late = act(&server, &alert, "notes", &json!({ "by": "Ben", "note": "Wet now" }));

    server.say("trims nothing of the notes");
    let raise_only = timeline(&server, &path(&alert));
    assert_eq!(raise_only["complete"], false);
    assert_eq!(
        changes(&raise_only),
        [
            "alert_update acknowledged Anna On my way",
            "alert_update annotated Ben It is hot",
            "alert_update resolved Anna Out",
            "alert_update annotated Ben Wet now",
            "remembered raised",
        ]
    );
    server.say("trims the acknowledgement");
    server.say("trims the first note");
    let page = timeline(&server, &path(&alert));
    assert_eq!(
        changes(&page),
        [
            "alert_update resolved Anna Out",
            "alert_update annotated Ben Wet now",
            "remembered raised",
            "remembered acknowledged Anna On my way",
            "remembered annotated Ben It is hot",
        ]
    );
    assert_eq!(
        page["events"].as_array().unwrap()[2..],
        [
            json!({ "type": "remembered", "change": "raised", "at": at("first_seen", &alert) }),
            json!({
                "type": "remembered", "change": "acknowledged", "by": "Anna", "note": "On my way",
                "at": at("updated_at", &acknowledged)
            }),
            json!({
                "type": "remembered", "change": "annotated", "by": "Ben", "note": "It is hot",
                "at": at("updated_at", &noted)
            }),
        ]
    );
    for _ in 0..2 {
        server.say("trims all other events");
    }
    let page = timeline(&server, &path(&alert));
    assert_eq!((&page["complete"], &page["previous"]), (&json!(false), &Value::Null));
    assert_eq!(page["alert"], late);
    assert_eq!(
        changes(&page),
        [
            "remembered raised",
            "remembered acknowledged Anna On my way",
            "remembered annotated Ben It is hot",
            "remembered resolved Anna Out",
            "remembered annotated Ben Wet now",
        ]
    );
    assert_eq!(page["events"][3]["at"], at("resolved_at", &resolved));
}

/// Follows `previous` from the newest page. Returns the pages, newest first.
fn pages(server: &TestServer, alert: &Value, query: &str) -> Vec<Value> {
    let mut pages = vec![timeline(server, &format!("{}{query}", path(alert)))];
    while let Some(link) = pages.last().unwrap()["previous"].as_str() {
        assert!(link.starts_with(query), "{link}");
        pages.push(timeline(server, &format!("{}{link}", path(alert))));
    }
    pages
}

fn revisions(pages: &[Value]) -> Vec<u64> {
    let events = pages.iter().rev().flat_map(|page| page["events"].as_array().unwrap());
    events.filter_map(|event| event["revision"].as_u64()).collect()
}

#[test]
fn pages_of_a_timeline_contain_every_event_once() {
    let server = TestServer::with(|settings| set_window(settings, 120));
    let alert = raise(&server);
    for number in 2..=110 {
        let note = json!({ "by": "Anna", "note": number.to_string() });
        act(&server, &alert, "notes", &note);
    }
    let newest = timeline(&server, &path(&alert));
    assert_eq!((&newest["count"], &newest["complete"]), (&json!(100), &json!(true)));
    assert_eq!(newest["events"][99]["revision"], 110);
    for (query, count) in [("", 2), ("?limit=1000", 1), ("?limit=25", 5), ("?limit=110", 1)] {
        let pages = pages(&server, &alert, query);
        assert_eq!(pages.len(), count, "{query}");
        assert_eq!(revisions(&pages), (1..=110).collect::<Vec<_>>(), "{query}");
        assert!(pages.iter().all(|page| page["complete"] == true), "{query}");
        assert!(!pages.iter().any(|page| page.to_string().contains("remembered")), "{query}");
    }
    for _ in 0..40 {
        server.say("trims an event");
    }
    let pages = pages(&server, &alert, "?limit=25");
    assert_eq!(revisions(&pages), (31..=110).collect::<Vec<_>>());
    assert!(pages.iter().all(|page| page["complete"] == false));
    let (oldest, newer) = pages.split_last().unwrap();
    assert!(!newer.iter().any(|page| page.to_string().contains("remembered")));
    assert_eq!(oldest["events"][5]["type"], "remembered");
    // The alert retains its newest 20 notes, and all of them are stored events.
    assert_eq!(oldest["count"], 6);
    let before = format!("?before={}", oldest["events"][0]["position"].as_str().unwrap());
    assert_eq!(changes(&timeline(&server, &(path(&alert) + &before))), ["remembered raised"]);
}

#[test]
fn an_unknown_or_evicted_alert_has_no_timeline() {
    let server = TestServer::in_memory(|settings| settings.memory.alerts = 2.try_into().unwrap());
    let evicted = server.raise("first");
    assert_eq!(timeline(&server, &path(&evicted))["count"], 1);
    for text in ["second", "third"] {
        server.raise(text);
    }
    let unknown = "/alerts/5c54e4c8-7a07-4d4f-9d0a-3f2f6c1c2d11/timeline";
    for path in [path(&evicted), unknown.to_owned(), "/alerts/x/timeline".to_owned()] {
        let problem = server.get(&path).problem(404);
        assert_eq!(problem["type"], "urn:northgate:problem:no-such-alert", "{path}");
    }
}

#[test]
fn bad_parameters_of_a_timeline_are_refused() {
    let server = TestServer::start();
    let path = path(&raise(&server));
    for query in ["limit=0", "limit=1001", "limit=x", "before=x"] {
        let problem = server.get(&format!("{path}?{query}")).problem(400);
        let name = query.split_once('=').unwrap().0;
        assert_eq!(problem["errors"][0]["parameter"], name, "{query}");
    }
    let both = server.get(&format!("{path}?limit=0&before=")).problem(400);
    assert_eq!(both["errors"].as_array().unwrap().len(), 2);
    assert_eq!(server.get(&format!("{path}?before=0000000000000001-1")).status, 410);
    assert_eq!(timeline(&server, &format!("{path}/?limit=1&after=ignored"))["count"], 1);
    assert_eq!(server.request("HEAD", &path, "", b"").status, 200);
}

#[test]
fn a_timeline_is_the_same_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::on_disk(folder.path());
    let alert = live(&server).remove(0);
    let before = server.get(&path(&alert)).body;
    server.stopped();
    let server = TestServer::on_disk(folder.path());
    assert_eq!(server.get(&path(&alert)).body, before);
    act(&server, &alert, "resolve", &json!({ "by": "Anna" }));
    let after = timeline(&server, &path(&alert));
    assert_eq!((&after["count"], &after["complete"]), (&json!(9), &json!(true)));
}

#[test]
fn a_timeline_that_is_read_during_actions_shows_one_state() {
    const NOTES: u64 = 300;
    let server = TestServer::with(|settings| set_window(settings, 50));
    let alert = raise(&server);
    let has_ended = AtomicBool::new(false);
    let rounds = thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..NOTES {
                let action = if number % 2 == 0 { "acknowledge" } else { "unacknowledge" };
                act(&server, &alert, action, &json!({ "by": "Anna", "note": number.to_string() }));
            }
            has_ended.store(true, Ordering::SeqCst);
        });
        let mut rounds = 0;
        while !has_ended.load(Ordering::SeqCst) {
            let page = timeline(&server, &path(&alert));
            let revision = page["alert"]["revision"].as_u64().unwrap();
            let first = revision.saturating_sub(49).max(1);
            let shown = revisions(std::slice::from_ref(&page));
            assert_eq!(shown, (first..=revision).collect::<Vec<_>>());
            assert_eq!(page["complete"], first == 1);
            let newest =
                page["events"].as_array().unwrap().iter().rfind(|e| e["type"] != "remembered");
            let newest = newest.unwrap();
            assert_eq!(newest["position"], page["position"]);
            assert_eq!(newest["status"], page["alert"]["status"]);
            rounds += 1;
        }
        rounds
    });
    assert!(rounds > 5, "the reader was too slow: {rounds} rounds");
    assert_eq!(timeline(&server, &path(&alert))["alert"]["revision"], NOTES + 1);
}
