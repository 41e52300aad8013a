//! The life cycle of an alert: operators' actions, the events about them, repeats, and expiry.

use northgate_testkit::{HttpResponse, TestServer, WebSocket, eventually};
use serde_json::{Value, json};
use std::borrow::Borrow;
use std::cell::RefCell;
use std::thread;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The query of a dashboard that wants all event types.
const EVERYTHING: &str = "types=alert,alert_update,chat";

/// Opens a dashboard that receives all later events, and reads its `resume` and `live` frames.
fn dashboard(server: &TestServer) -> WebSocket {
    let mut socket = server.socket_with(EVERYTHING);
    assert_eq!(socket.next_json()["type"], "resume");
    assert_eq!(socket.next_json()["type"], "live");
    socket
}

fn raise(server: &TestServer, more: impl Borrow<Value>) -> Value {
    let mut body = json!({ "message": "Fire", "location": "Gate" });
    body.as_object_mut().unwrap().extend(more.borrow().as_object().unwrap().clone());
    let answer = server.post("/alerts", body.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn path(alert: &Value, action: &str) -> String {
    format!("/alerts/{}/{action}", alert["id"].as_str().unwrap())
}

fn act(server: &TestServer, alert: &Value, action: &str, body: impl Borrow<Value>) -> Value {
    let answer = server.post(&path(alert, action), body.borrow().to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    let alert = answer.json();
    assert_eq!(answer.header("etag").unwrap(), format!("\"{}\"", alert["revision"]));
    alert
}

/// The alert of an `alert_update` frame, in the form of an HTTP answer.
fn shown(frame: &Value, position: &Value) -> Value {
    let mut alert = frame.clone();
    for name in ["change", "by", "note"] {
        alert.as_object_mut().unwrap().remove(name);
    }
    alert["type"] = json!("alert");
    alert["position"] = position.clone();
    alert
}

#[test]
fn updates_of_an_alert_go_only_to_clients_that_request_them() {
    let server = TestServer::start();
    let mut old = server.socket();
    let mut board = dashboard(&server);
    let raised = raise(&server, json!({ "severity": "error", "labels": { "zone": "a" } }));
    assert_eq!(board.next_json(), raised);
    assert_eq!(old.next_json(), raised);
    let mut revision = 1;
    for (action, body, change, status) in [
        ("acknowledge", json!({ "by": "Anna", "note": "mine" }), "acknowledged", "acknowledged"),
        ("notes", json!({ "by": "Ben", "note": "hot" }), "annotated", "acknowledged"),
        ("unacknowledge", json!({ "by": "Anna" }), "unacknowledged", "open"),
        ("resolve", json!({ "by": "Ben" }), "resolved", "resolved"),
        ("reopen", json!({ "by": "Anna" }), "reopened", "open"),
    ] {
        let answer = act(&server, &raised, action, body.clone());
        revision += 1;
        assert_eq!((&answer["status"], &answer["revision"]), (&json!(status), &json!(revision)));
        let frame = board.next_json();
        assert_eq!(frame["type"], "alert_update");
        assert_eq!((&frame["change"], &frame["by"]), (&json!(change), &body["by"]));
        assert_eq!(frame.get("note"), body.get("note"));
        assert_eq!(shown(&frame, &raised["position"]), answer);
        assert_ne!(frame["position"], raised["position"]);
        let one = server.get(path(&raised, "").trim_end_matches('/'));
        assert_eq!(one.json(), answer);
    }
    old.assert_nothing_came();
    let notes = server.get("/alerts").json()["alerts"][0]["notes"].clone();
    let posted: Vec<_> = notes.as_array().unwrap().iter().map(|note| &note["note"]).collect();
    assert_eq!(posted, ["mine", "hot"]);
}

#[test]
fn an_action_without_effect_is_200_and_a_contradicting_one_is_409() {
    let server = TestServer::start();
    let mut board = dashboard(&server);
    let alert = raise(&server, json!({}));
    board.next_json();
    act(&server, &alert, "acknowledge", json!({ "by": "Anna" }));
    let again = act(&server, &alert, "acknowledge", json!({ "by": "Ben", "note": "lost" }));
    assert_eq!((&again["acknowledged_by"], &again["revision"]), (&json!("Anna"), &json!(2)));
    board.next_json();
    board.assert_nothing_came();

    act(&server, &alert, "resolve", json!({ "by": "Ben" }));
    let problem = server.post(&path(&alert, "acknowledge"), r#"{"by":"Eve"}"#).problem(409);
    assert_eq!(problem["type"], "urn:northgate:problem:contradiction");
    assert_eq!(
        problem["detail"],
        "Cannot acknowledge the alert because it is resolved (by Ben). Reopen it first."
    );
    assert_eq!(problem["alert"]["status"], "resolved");
    assert_eq!(problem["alert"]["revision"], 3);
    assert_eq!(problem["alert"]["resolved_by"], "Ben");

    for (path, body, status) in [
        (path(&alert, "resolve"), "{}", 422),
        (path(&alert, "notes"), r#"{"by":"Anna"}"#, 422),
        (path(&alert, "notes"), r#"{"by":"Anna","note":" "}"#, 422),
        (path(&alert, "resolve"), "[", 400),
        ("/alerts/8d153e6a-cd6a-4840-8b5a-d7d5b7176755/resolve".to_owned(), r#"{"by":"A"}"#, 404),
        ("/alerts/nonsense/resolve".to_owned(), r#"{"by":"A"}"#, 404),
    ] {
        server.post(&path, body).problem(status);
    }
    assert_eq!(server.get(&path(&alert, "resolve")).status, 405);
}

#[test]
fn an_action_with_an_outdated_if_match_is_412() {
    let server = TestServer::start();
    let alert = raise(&server, json!({}));
    let act_if = |tag: &str| {
        let headers = format!("Content-Type: application/json\r\nIf-Match: {tag}\r\n");
        server.request("POST", &path(&alert, "resolve"), &headers, br#"{"by":"Anna"}"#)
    };
    act(&server, &alert, "acknowledge", json!({ "by": "Ben" }));
    let problem = act_if("\"1\"").problem(412);
    assert_eq!(problem["type"], "urn:northgate:problem:outdated");
    assert_eq!(problem["alert"]["acknowledged_by"], "Ben");
    for other in ["W/\"2\"", "\"1\", \"3\"", "\"x\"", "\"+2\"", "\"02\"", "W/\"2\", \"9\""] {
        let problem = act_if(other).problem(412);
        assert_eq!(problem["type"], "urn:northgate:problem:outdated", "{other}");
    }
    for bad in ["2", "", "\"2", "'2'"] {
        assert_eq!(act_if(bad).problem(400)["type"], "urn:northgate:problem:if-match", "{bad}");
    }
    assert_eq!(act_if("\"1\", \"2\"").status, 200);
    assert_eq!(act_if("*").json()["revision"], 3, "the alert is already resolved");
}

#[test]
fn if_none_match_with_the_current_etag_is_304_without_a_body() {
    let server = TestServer::start();
    let alert = raise(&server, json!({}));
    let one = path(&alert, "");
    let get_if = |tags: &str| {
        let headers = format!("If-None-Match: {tags}\r\n");
        server.request("GET", one.trim_end_matches('/'), &headers, b"")
    };
    for seen in ["\"1\"", "W/\"1\"", "\"0\", \"1\"", "*"] {
        let answer = get_if(seen);
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{seen}");
        assert_eq!(answer.header("etag"), Some("\"1\""));
    }
    act(&server, &alert, "acknowledge", json!({ "by": "Ben" }));
    for not_seen in ["\"1\"", "2", "", "\"3\""] {
        let answer = get_if(not_seen);
        assert_eq!((answer.status, answer.header("etag")), (200, Some("\"2\"")), "{not_seen}");
        assert_eq!(answer.json()["acknowledged_by"], "Ben");
    }
}

#[test]
fn an_action_repeated_with_its_key_is_executed_once() {
    let server = TestServer::start();
    let alert = raise(&server, json!({}));
    let note = |alert: &Value, note: &str| {
        let headers = "Content-Type: application/json\r\nIdempotency-Key: k\r\n";
        let body = json!({ "by": "Anna", "note": note }).to_string();
        server.request("POST", &path(alert, "notes"), headers, body.as_bytes())
    };
    let first = note(&alert, "hot");
    act(&server, &alert, "resolve", json!({ "by": "Ben" }));
    let again = note(&alert, "hot");
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!((again.status, &again.body), (200, &first.body));
    note(&alert, "cold").problem(422);
    note(&raise(&server, json!({})), "hot").problem(422);
    let notes = server.get(path(&alert, "").trim_end_matches('/')).json()["notes"].clone();
    assert_eq!(notes.as_array().unwrap().len(), 1);
}

#[test]
fn every_bad_field_of_an_alert_is_reported() {
    let server = TestServer::start();
    let problem = server
        .post(
            "/alerts",
            json!({
                "message": "Fire", "location": "Gate", "severity": "fatal", "source": 7,
                "labels": { "a/b": 1, "ok": "x", "blank": " " }, "url": "javascript:alert(1)",
                "dedup_key": "", "expires_at": "soon"
            })
            .to_string(),
        )
        .problem(422);
    let pointers: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(
        pointers,
        [
            "#/dedup_key",
            "#/expires_at",
            "#/labels/a~1b",
            "#/labels/blank",
            "#/severity",
            "#/source",
            "#/url"
        ]
    );
    for labels in [json!([]), json!({ "": "x" }), json!({ "a b": "x" })] {
        let body = json!({ "message": "a", "location": "b", "labels": labels }).to_string();
        assert_eq!(server.post("/alerts", body).problem(422)["errors"][0]["pointer"], "#/labels");
    }
    let nulls = json!({ "severity": null, "labels": null, "url": null, "expires_at": null });
    assert_eq!(raise(&server, nulls)["severity"], "warning");
}

#[test]
fn one_of_fifty_concurrent_acknowledgements_wins_and_all_see_it() {
    let server = TestServer::start();
    let alert = raise(&server, json!({}));
    let mut board = dashboard(&server);
    let seen: Vec<Value> = thread::scope(|scope| {
        let (server, alert) = (&server, &alert);
        let operators = (0..50).map(|n| {
            scope.spawn(move || {
                let by = format!("Operator {n}");
                if n % 2 == 0 {
                    let done = act(server, alert, "acknowledge", json!({ "by": by }));
                    return done["acknowledged_by"].clone();
                }
                let mut socket = server.socket();
                let frame = json!({
                    "type": "acknowledge", "id": alert["id"], "by": by, "ref": n
                });
                socket.send(&frame.to_string());
                let result = socket.next_json();
                assert_eq!((&result["type"], &result["ref"]), (&json!("result"), &json!(n)));
                let changed = result["outcome"] == "changed";
                assert_eq!(changed, result["alert"]["acknowledged_by"] == by.as_str());
                result["alert"]["acknowledged_by"].clone()
            })
        });
        let operators: Vec<_> = operators.collect();
        operators.into_iter().map(|operator| operator.join().unwrap()).collect()
    });
    let frame = board.next_json();
    assert_eq!((&frame["change"], &frame["revision"]), (&json!("acknowledged"), &json!(2)));
    assert_eq!(seen, vec![frame["by"].clone(); 50]);
    board.assert_nothing_came();
}

#[test]
fn actions_over_a_socket_are_answered_with_their_result() {
    let server = TestServer::start();
    let alert = raise(&server, json!({}));
    let mut socket = server.socket();
    let mut send = |frame: Value| {
        socket.send(&frame.to_string());
        socket.next_json()
    };
    let id = &alert["id"];
    let done = send(json!({
        "type": "acknowledge", "id": id, "by": "Anna", "note": "mine", "ref": "a1"
    }));
    assert_eq!((&done["ref"], &done["outcome"]), (&json!("a1"), &json!("changed")));
    assert_eq!(done["alert"]["notes"][0]["note"], "mine");
    assert_eq!(done["alert"]["position"], alert["position"]);
    let again = send(json!({ "type": "acknowledge", "id": id, "by": "Ben" }));
    assert_eq!((&again["ref"], &again["outcome"]), (&Value::Null, &json!("unchanged")));
    let refused = send(json!({ "type": "reopen", "id": id, "by": "Ben", "ref": 7 }));
    assert_eq!((&refused["ref"], &refused["outcome"]), (&json!(7), &json!("refused")));
    assert_eq!(refused["error"]["type"], "urn:northgate:problem:contradiction");
    assert_eq!(refused["error"]["alert"]["acknowledged_by"], "Anna");
    let stale = send(json!({ "type": "resolve", "id": id, "by": "Ben", "revision": 1 }));
    assert_eq!(stale["error"]["type"], "urn:northgate:problem:outdated");
    let bad = send(json!({ "type": "annotate", "id": "x", "by": 1, "ref": [] }));
    let pointers: Vec<_> = bad["error"]["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["#/by", "#/id", "#/note", "#/ref"]);
    // A socket without `types=alert_update` receives only the results of its own actions.
    socket.assert_nothing_came();
}

#[test]
fn repeats_increase_the_count_of_an_alert_until_it_is_resolved() {
    let server = TestServer::start();
    let repeat = |more: Value| {
        let mut body = json!({ "dedup_key": "fire/gate" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        raise(&server, body)
    };
    let mut board = dashboard(&server);
    let first = repeat(json!({}));
    assert_eq!(board.next_json(), first);
    act(&server, &first, "acknowledge", json!({ "by": "Anna" }));
    assert_eq!(board.next_json()["change"], "acknowledged");
    let second = repeat(json!({ "severity": "critical" }));
    assert_eq!((&second["id"], &second["count"]), (&first["id"], &json!(2)));
    assert_eq!(
        (&second["severity"], &second["status"]),
        (&json!("critical"), &json!("acknowledged"))
    );
    assert_eq!(second["position"], first["position"]);
    assert_eq!(second["first_seen"], first["timestamp"]);
    let frame = board.next_json();
    assert_eq!((&frame["change"], &frame["count"]), (&json!("repeated"), &json!(2)));
    assert_eq!(repeat(json!({ "severity": "info" }))["severity"], "critical");
    board.next_json();
    act(&server, &first, "resolve", json!({ "by": "Anna" }));
    let anew = repeat(json!({}));
    assert_eq!((&anew["count"], &anew["status"]), (&json!(1), &json!("open")));
    assert_ne!(anew["id"], first["id"]);
}

#[test]
fn a_storm_of_repeats_is_coalesced_into_few_events() {
    const SENDERS: u64 = 20;
    const EACH: u64 = 20;
    let server = TestServer::start();
    let mut board = dashboard(&server);
    let began = Instant::now();
    let mut counts: Vec<u64> = thread::scope(|scope| {
        let senders = (0..SENDERS).map(|_| {
            scope.spawn(|| {
                let send = |_| raise(&server, json!({ "dedup_key": "storm" }))["count"].as_u64();
                (0..EACH).map(send).map(Option::unwrap).collect::<Vec<_>>()
            })
        });
        let senders: Vec<_> = senders.collect();
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    });
    let windows = began.elapsed().as_millis() / 100;
    counts.sort_unstable();
    assert_eq!(counts.len() as u64, SENDERS * EACH);
    assert_eq!(counts.last(), Some(&(SENDERS * EACH)));
    let mut frames = vec![board.next_json()];
    while frames.last().unwrap()["count"] != SENDERS * EACH {
        frames.push(board.next_json());
    }
    board.assert_nothing_came();
    let revisions: Vec<_> =
        frames.iter().map(|frame| frame["revision"].as_u64().unwrap()).collect();
    assert_eq!(revisions, (1..=frames.len() as u64).collect::<Vec<_>>());
    assert!(frames.len() as u128 <= windows + 2, "{} in {windows} windows", frames.len());
    // For every count in an answer there is an event with the same count.
    let totals: Vec<_> = frames.iter().map(|frame| frame["count"].as_u64().unwrap()).collect();
    assert!(counts.iter().all(|count| totals.contains(count)), "{counts:?} {totals:?}");
    assert_eq!(server.get("/alerts").json()["count"], 1);
}

#[test]
fn a_bulk_action_reports_a_result_for_each_alert() {
    let server = TestServer::start();
    let alerts: Vec<_> = (0..5)
        .map(|n| raise(&server, json!({ "source": if n < 3 { "drill" } else { "real" } })))
        .collect();
    act(&server, &alerts[1], "resolve", json!({ "by": "Anna" }));
    let unknown = "8d153e6a-cd6a-4840-8b5a-d7d5b7176755";
    let body = json!({
        "action": "acknowledge", "by": "Ben",
        "ids": [alerts[0]["id"], alerts[1]["id"], unknown, alerts[0]["id"], alerts[3]["id"]]
    });
    let done = server.post("/alerts/actions", body.to_string()).json();
    let outcomes: Vec<_> = done["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(
        outcomes,
        ["changed", "refused", "refused", "changed"],
        "a duplicate id has one result"
    );
    assert_eq!((&done["count"], &done["changed"]), (&json!(4), &json!(2)));
    let resolved = &done["results"][1];
    assert_eq!(resolved["error"]["type"], "urn:northgate:problem:contradiction");
    assert_eq!(resolved["revision"], 2);
    assert_eq!(done["results"][2]["error"]["type"], "urn:northgate:problem:no-such-alert");
    let changed = json!({ "id": alerts[3]["id"], "outcome": "changed", "revision": 2 });
    assert_eq!(done["results"][3], changed, "a result has no other member of the alert");

    let body = json!({ "action": "resolve", "by": "Ben", "filter": { "source": ["drill"] } });
    let done = server.post("/alerts/actions", body.to_string()).json();
    assert_eq!(
        (&done["count"], &done["changed"], &done["rest"]),
        (&json!(2), &json!(2), &Value::Null)
    );
    assert_eq!(done["results"][0]["outcome"], "changed");
    let first = server.get(&format!("/alerts/{}", alerts[0]["id"].as_str().unwrap())).json();
    assert_eq!(first["resolved_by"], "Ben");
    let summary = server.get("/alerts/summary").json();
    assert_eq!(summary["by_status"], json!({ "open": 1, "acknowledged": 1, "resolved": 3 }));
    assert_eq!(summary["total"], 5);
    assert_eq!(summary["unresolved_by_severity"]["warning"], 2);
    assert_eq!(summary["counts"]["resolved"]["warning"], 3);
    assert_eq!(summary["position"], server.get("/alerts").json()["position"]);
}

#[test]
fn every_bad_field_of_a_bulk_action_is_reported() {
    let server = TestServer::start();
    let alerts = [raise(&server, json!({}))];
    let summary = server.get("/alerts/summary").json();
    for (body, pointer) in [
        (json!({ "action": "resolve", "by": "B" }), "#/ids"),
        (json!({ "action": "resolve", "by": "B", "ids": [] }), "#/ids"),
        (json!({ "action": "resolve", "by": "B", "ids": [alerts[0]["id"], 7] }), "#/ids/1"),
        (json!({ "action": "resolve", "by": "B", "filter": {} }), "#/filter"),
        (json!({ "action": "resolve", "by": "B", "filter": { "q": " !" } }), "#/filter"),
        (json!({ "action": "resolve", "by": "B", "filter": { "source": [] } }), "#/filter/source"),
        (json!({ "action": "resolve", "by": "B", "filter": { "a~/b": [] } }), "#/filter/a~0~1b"),
        (json!({ "action": "resolve", "by": "B", "filter": { "sauce": "x" } }), "#/filter/sauce"),
        (json!({ "action": "resolve", "by": "B", "filter": { "limit": "1" } }), "#/filter/limit"),
        (json!({ "action": "resolve", "by": "B", "filter": { "status": "x" } }), "#/filter/status"),
        (json!({ "action": "end", "by": "B", "ids": [alerts[0]["id"]] }), "#/action"),
        (json!({ "action": "annotate", "by": "B", "ids": [alerts[0]["id"]] }), "#/note"),
    ] {
        let problem = server.post("/alerts/actions", body.to_string()).problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    let body = json!({ "action": "reopen", "by": "B", "filter": { "source": "drill" } });
    for (header, problem) in
        [("Idempotency-Key: k", "idempotency-key"), ("If-Match: \"1\"", "if-match")]
    {
        let headers = format!("Content-Type: application/json\r\n{header}\r\n");
        let body = body.to_string();
        let refused = server.request("POST", "/alerts/actions", &headers, body.as_bytes());
        let refused = refused.problem(400);
        assert_eq!(refused["type"], format!("urn:northgate:problem:{problem}"));
    }
    assert_eq!(server.get("/alerts/summary").json(), summary, "no action was executed");
}

#[test]
fn a_bulk_action_continued_with_its_rest_reaches_every_alert_once() {
    const ALERTS: usize = 2_300;
    let server = TestServer::start();
    for n in 0..ALERTS {
        raise(&server, json!({ "location": format!("Gate {n}") }));
    }
    // A note does not change which alerts match. Without the bounds in `rest`, this loop would
    // annotate the same alerts forever.
    for (upwards, say) in [(false, "backwards"), (true, "forwards")] {
        let mut filter = json!({ "q": "fire" });
        if upwards {
            let position = server.get("/alerts/summary").json()["position"].clone();
            let epoch = position.as_str().unwrap().split_once('-').unwrap().0.to_owned();
            filter["after"] = json!(format!("{epoch}-0"));
        }
        let mut counts = Vec::new();
        loop {
            let body = json!({ "action": "annotate", "by": "Ben", "note": say, "filter": filter });
            let done = server.post("/alerts/actions", body.to_string()).json();
            assert_eq!(done["count"], done["changed"]);
            counts.push(done["count"].as_u64().unwrap());
            match done["rest"].as_object() {
                Some(rest) => filter.as_object_mut().unwrap().extend(rest.clone()),
                None => break,
            }
        }
        assert_eq!(counts, [1_000, 1_000, 300], "{say}");
    }
    let mut alerts = server.get("/alerts?limit=1000").json();
    let mut seen = 0;
    loop {
        for alert in alerts["alerts"].as_array().unwrap() {
            let notes: Vec<_> = alert["notes"].as_array().unwrap().iter().collect();
            let posted: Vec<_> = notes.iter().map(|note| &note["note"]).collect();
            assert_eq!(posted, ["backwards", "forwards"]);
            seen += 1;
        }
        let Some(previous) = alerts["previous"].as_str() else { break };
        alerts = server.get(&format!("/alerts{previous}")).json();
    }
    assert_eq!(seen, ALERTS);
}

#[test]
fn alerts_are_filtered_by_status_severity_labels_and_source() {
    let server = TestServer::start();
    let raised: Vec<_> = [("critical", "a"), ("info", "b"), ("error", "a")]
        .map(|(severity, host)| {
            raise(&server, json!({ "severity": severity, "labels": { "host": host } }))
        })
        .into();
    act(&server, &raised[0], "acknowledge", json!({ "by": "Anna" }));
    for (query, expected) in [
        ("status=open", &[1, 2][..]),
        ("status=open,acknowledged&min_severity=error", &[0, 2]),
        ("severity=info&severity=critical", &[0, 1]),
        ("label.host=a", &[0, 2]),
        ("label.host=a&status=acknowledged", &[0]),
        ("source=x", &[]),
    ] {
        let found = server.get(&format!("/alerts?{query}")).json();
        let ids: Vec<_> = found["alerts"].as_array().unwrap().iter().map(|a| &a["id"]).collect();
        let expected: Vec<_> = expected.iter().map(|n: &usize| &raised[*n]["id"]).collect();
        assert_eq!(ids, expected, "{query}");
    }
    let mut worst = server.socket_with("min_severity=error&last=9");
    assert_eq!(worst.next_json()["type"], "resume");
    for n in [0, 2] {
        assert_eq!(worst.next_json()["id"], raised[n]["id"]);
    }
    assert_eq!(worst.next_json()["type"], "live");
    let mut changes = server.event_stream("?types=alert_update&last=9", "");
    assert!(changes.next_record().unwrap().retry.is_some());
    assert_eq!(changes.next_event().0.as_deref(), Some("resume"));
    let (name, change) = changes.next_event();
    assert_eq!((name, &change["change"]), (None, &json!("acknowledged")));
}

#[test]
fn a_repeat_that_raises_the_severity_passes_a_severity_filter() {
    let server = TestServer::start();
    let mut socket = server.socket_with("types=alert,alert_update&min_severity=error");
    for begins in ["resume", "live"] {
        assert_eq!(socket.next_json()["type"], begins);
    }
    let mild = raise(&server, json!({ "dedup_key": "k", "severity": "info" }));
    act(&server, &mild, "acknowledge", json!({ "by": "Anna" }));
    raise(&server, json!({ "dedup_key": "k", "severity": "critical" }));
    let worse = socket.next_json();
    assert_eq!((&worse["type"], &worse["change"]), (&json!("alert_update"), &json!("repeated")));
    assert_eq!((&worse["id"], &worse["revision"]), (&mild["id"], &json!(3)));
    assert_eq!(worse["severity"], "critical");
}

#[test]
fn a_chat_message_may_refer_to_an_alert() {
    let server = TestServer::start();
    let alert = raise(&server, json!({}));
    let mut socket = server.socket();
    let posted = json!({ "sender": "Anna", "message": "hot", "alert_id": alert["id"] });
    socket.send(&posted.to_string());
    let message = socket.next_json();
    assert_eq!((&message["type"], &message["alert_id"]), (&json!("chat"), &alert["id"]));
    server.say("to all");
    let thread = server.get(&path(&alert, "messages")).json();
    assert_eq!(thread["chatMessages"], json!([message]));
    let nobody = json!({
        "sender": "Anna", "message": "hot", "alert_id": "8d153e6a-cd6a-4840-8b5a-d7d5b7176755"
    });
    server.post("/message/", nobody.to_string()).problem(404);
    server.get("/alerts/8d153e6a-cd6a-4840-8b5a-d7d5b7176755/messages").problem(404);
}

#[test]
fn the_messages_of_an_alert_outlive_the_alert() {
    // Only the store in memory has a configurable limit on alerts.
    let server = TestServer::in_memory(|settings| settings.memory.alerts = 1.try_into().unwrap());
    let alert = raise(&server, json!({}));
    let posted = json!({ "sender": "Anna", "message": "hot", "alert_id": alert["id"] }).to_string();
    assert_eq!(server.post("/message/", posted.as_str()).status, 200);
    let thread = path(&alert, "messages");
    assert_eq!(server.get(&format!("{thread}?q=cold")).json()["count"], 0);
    raise(&server, json!({}));
    server.get(path(&alert, "").trim_end_matches('/')).problem(404);
    assert_eq!(server.get(&thread).json()["count"], 1);
    assert_eq!(server.get(&format!("{thread}?q=cold")).json()["count"], 0);
    server.post("/message/", posted).problem(404);
}

/// Waits until an alert is resolved, and returns it.
fn resolved(server: &TestServer, alert: &Value) -> Value {
    eventually(|| {
        let shown = server.get(path(alert, "").trim_end_matches('/')).json();
        if shown["status"] == "resolved" { Ok(shown) } else { Err(shown.to_string()) }
    })
}

/// Raises an alert that expires soon. Calls `post` with an expiry in 1 second. If the server
/// refuses this expiry because it has already passed, calls `post` again with 4 and then 16
/// seconds.
fn ending_soon(post: impl Fn(&str) -> HttpResponse) -> HttpResponse {
    let ends = [1, 4, 16].into_iter().map(|seconds| {
        let end = OffsetDateTime::now_utc() + Duration::from_secs(seconds);
        post(&end.format(&Rfc3339).unwrap())
    });
    ends.into_iter().find(|answer| answer.status == 200).unwrap()
}

#[test]
fn a_retry_gets_its_first_answer_after_the_alert_has_expired() {
    let server = TestServer::start();
    let body = RefCell::new(String::new());
    let post = |headers: &str| server.request("POST", "/alerts", headers, body.borrow().as_bytes());
    let first = ending_soon(|end| {
        let alert = json!({ "message": "a", "location": "b", "expires_at": end });
        body.replace(alert.to_string());
        post("Idempotency-Key: once\r\n")
    });
    resolved(&server, &first.json());
    let again = post("Idempotency-Key: once\r\n");
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.json(), first.json());
    post("Idempotency-Key: another\r\n").problem(422);
}

#[test]
fn an_expired_alert_is_resolved_automatically_even_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let start = || TestServer::on_disk(folder.path());
    let server = start();
    let mut board = dashboard(&server);
    let raise_ending_soon = |server: &TestServer| {
        let answer = ending_soon(|end| {
            let alert = json!({ "message": "a", "location": "b", "expires_at": end });
            server.post("/alerts", alert.to_string())
        });
        answer.json()
    };
    let over = raise_ending_soon(&server);
    board.next_json();
    let frame = board.next_json();
    assert_eq!((&frame["change"], &frame["by"]), (&json!("resolved"), &json!("northgate")));
    assert_eq!(frame["note"], "The expiry time was reached.");
    assert_eq!(resolved(&server, &over)["resolved_by"], "northgate");
    let far = raise(&server, json!({ "expires_at": "2099-01-01T00:00:00Z" }));
    act(&server, &far, "acknowledge", json!({ "by": "Anna" }));
    // The server stops before this alert expires.
    let later = raise_ending_soon(&server);
    server.stopped();
    let server = start();
    resolved(&server, &later);
    let far = server.get(path(&far, "").trim_end_matches('/')).json();
    assert_eq!((&far["status"], &far["acknowledged_by"]), (&json!("acknowledged"), &json!("Anna")));
}

#[test]
fn a_resumed_client_gets_the_same_updates_as_a_connected_one() {
    let server = TestServer::start();
    let mut steady = dashboard(&server);
    let alert = raise(&server, json!({ "dedup_key": "k" }));
    act(&server, &alert, "acknowledge", json!({ "by": "Anna" }));
    let mut seen = vec![steady.next_json(), steady.next_json()];
    // The other client disconnected after this event.
    let cut = seen[1]["position"].as_str().unwrap().to_owned();
    act(&server, &alert, "notes", json!({ "by": "Ben", "note": "x" }));
    raise(&server, json!({ "dedup_key": "k" }));
    act(&server, &alert, "resolve", json!({ "by": "Ben" }));
    server.say("over");
    seen.extend((0..4).map(|_| steady.next_json()));
    let mut back = server.socket_with(&format!("{EVERYTHING}&after={cut}"));
    assert_eq!(back.next_json()["outcome"], "complete");
    let missed: Vec<_> = (0..4).map(|_| back.next_json()).collect();
    assert_eq!(missed, seen[2..]);
    assert_eq!(back.next_json()["type"], "live");
    let state = server.get(path(&alert, "").trim_end_matches('/')).json();
    assert_eq!(shown(&missed[2], &alert["position"]), state);
}

#[test]
fn an_expiry_in_the_past_is_422_and_year_1_means_no_expiry() {
    let with_end =
        |end: &str| json!({ "message": "a", "location": "b", "expires_at": end }).to_string();
    let server = TestServer::start();
    // A Go program sends such a value if its time is not set. The exact value depends on the time
    // zone.
    for none in ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "0001-12-31T00:00:00Z"] {
        let alert = server.post("/alerts", with_end(none)).json();
        assert_eq!((&alert["status"], alert.get("expires_at")), (&json!("open"), None), "{none}");
    }
    for past in ["1970-01-01T00:00:00Z", "2025-07-24T14:23:00Z", "0002-01-01T00:00:00Z"] {
        for key in ["", ",\"dedup_key\":\"k\""] {
            let body = with_end(past).replacen('}', &format!("{key}}}"), 1);
            let problem = server.post("/alerts", body).problem(422);
            assert_eq!(problem["type"], "urn:northgate:problem:invalid", "{problem}");
            assert_eq!(problem["errors"][0]["pointer"], "#/expires_at", "{problem}");
        }
    }
    assert_eq!(server.get("/alerts").json()["count"], 3);
}

#[test]
fn text_of_invisible_characters_counts_as_blank() {
    let server = TestServer::start();
    for blank in ["\u{200b}", "\u{feff} \u{2060}", "\u{ad}\n\u{34f}"] {
        let body = json!({ "message": blank, "location": blank }).to_string();
        let problem = server.post("/alerts", body).problem(422);
        assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem}");
        let message = json!({ "sender": blank, "message": blank }).to_string();
        let problem = server.post("/message/", message).problem(422);
        assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem}");
    }
}
