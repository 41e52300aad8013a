//! Bulk actions with `as_of`: an operator acts on the alerts that a board showed, and on no others.

use northgate_testkit::TestServer;
use serde_json::{Value, json};

fn position(answer: &Value) -> &str {
    answer["position"].as_str().unwrap()
}

/// The statuses of all alerts, oldest first.
fn statuses(server: &TestServer) -> Vec<Value> {
    let alerts = server.get("/alerts?limit=1000").json();
    alerts["alerts"].as_array().unwrap().iter().map(|alert| alert["status"].clone()).collect()
}

#[test]
fn a_bulk_action_as_of_a_position_changes_no_later_alert() {
    let server = TestServer::start();
    let seen: Vec<_> = (0..3).map(|n| server.raise(&format!("seen {n}"))).collect();
    let board = server.get("/alerts?status=open").json();
    assert_eq!(position(&board), position(&seen[2]));
    for n in 0..2 {
        server.raise(&format!("later {n}"));
    }
    let resolve = |as_of: &str| {
        let filter = json!({ "status": "open", "as_of": as_of });
        let body = json!({ "action": "resolve", "by": "Anna", "filter": filter });
        server.post("/alerts/actions", body.to_string()).json()
    };
    // The alert at the position itself is one of those that the board showed.
    let done = resolve(position(&board));
    let resolved: Vec<_> = seen.iter().map(|alert| &alert["id"]).collect();
    let acted: Vec<_> = done["results"].as_array().unwrap().iter().map(|r| &r["id"]).collect();
    assert_eq!(acted, resolved);
    assert_eq!((&done["changed"], &done["rest"]), (&json!(3), &Value::Null));
    assert_eq!(statuses(&server), ["resolved", "resolved", "resolved", "open", "open"]);
    // The position of the newest event, here a change, contains all alerts.
    let done = resolve(position(&server.get("/alerts").json()));
    assert_eq!(done["changed"], 2);
}

#[test]
fn a_bulk_action_as_of_a_position_continues_with_its_rest() {
    const SEEN: usize = 1_100;
    let server = TestServer::start();
    for n in 0..SEEN {
        server.raise(&n.to_string());
    }
    let as_of = server.get("/alerts/summary").json()["position"].clone();
    let start = format!("{}-0", as_of.as_str().unwrap().split_once('-').unwrap().0);
    for backwards in [true, false] {
        let mut filter = json!({ "location": "North Gate", "as_of": as_of });
        if !backwards {
            filter["after"] = json!(start);
        }
        let mut counts = Vec::new();
        loop {
            // Another alert is raised before each request.
            server.raise("later");
            let body = json!({ "action": "annotate", "by": "Ben", "note": "x", "filter": filter });
            let done = server.post("/alerts/actions", body.to_string()).json();
            assert_eq!(done["count"], done["changed"], "{done}");
            counts.push(done["count"].as_u64().unwrap());
            match done["rest"].as_object() {
                Some(rest) => filter.as_object_mut().unwrap().extend(rest.clone()),
                None => break,
            }
        }
        assert_eq!(counts, [1_000, 100]);
    }
    let last = server.get("/alerts?limit=5").json();
    let last = last["alerts"].as_array().unwrap();
    let notes: Vec<_> = last.iter().map(|a| a["notes"].as_array().map_or(0, Vec::len)).collect();
    assert_eq!(notes, [2, 0, 0, 0, 0]);
}

#[test]
fn an_invalid_as_of_of_a_bulk_action_is_refused() {
    let server = TestServer::start();
    let alert = server.raise("seen");
    let act = |filter: &Value| {
        let body = json!({ "action": "resolve", "by": "Anna", "filter": filter });
        server.post("/alerts/actions", body.to_string())
    };
    let (epoch, offset) = position(&alert).split_once('-').unwrap();
    let beyond = format!("{epoch}-{}", offset.parse::<u64>().unwrap() + 1);
    for gone in [beyond.as_str(), "0123456789abcdef-1"] {
        let problem = act(&json!({ "status": "open", "as_of": gone })).problem(410);
        assert_eq!(problem["status"], 410);
    }
    for (filter, pointer, detail) in [
        (json!({ "status": "open", "as_of": "yesterday" }), "#/filter/as_of", "is not a position"),
        (json!({ "status": "open", "as_of": 7 }), "#/filter/as_of", "must be a string"),
        (json!({ "status": "open", "as_of": [] }), "#/filter/as_of", "must be a string"),
        (json!({ "status": "open", "asOf": "x" }), "#/filter/asOf", "is not a parameter"),
        (
            json!({ "as_of": alert["position"] }),
            "#/filter",
            "must have at least one condition besides as_of",
        ),
    ] {
        let problem = act(&filter).problem(422);
        let error = &problem["errors"][0];
        assert_eq!(error["pointer"], pointer, "{filter}");
        assert!(error["detail"].as_str().unwrap().starts_with(detail), "{error}");
    }
    assert_eq!(statuses(&server), ["open"]);
}
