//! Resuming: a client sends its last position and receives every event that it missed.

use northgate_testkit::{Record, TestServer, UPGRADE, WebSocket, set_window};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn position(event: &Value) -> &str {
    event["position"].as_str().unwrap()
}

/// The position `count` events before this event. Only a test may compute a position, because
/// positions are opaque to clients.
fn earlier(event: &Value, count: u64) -> String {
    let (epoch, offset) = position(event).split_once('-').unwrap();
    format!("{epoch}-{}", offset.parse::<u64>().unwrap() - count)
}

fn live(position: impl Into<Value>) -> Value {
    json!({ "type": "live", "position": position.into() })
}

fn complete(position: impl Into<Value>) -> Value {
    json!({ "type": "resume", "outcome": "complete", "position": position.into() })
}

fn assert_frames(socket: &mut WebSocket, frames: &[Value]) {
    for frame in frames {
        assert_eq!(&socket.next_json(), frame);
    }
    socket.assert_nothing_came();
}

#[test]
fn a_resumed_client_gets_missed_events_and_then_live_ones() {
    let server = TestServer::start();
    let seen = server.raise("seen");
    let missed = [server.raise("missed"), server.say("missed, too")];
    let mut socket = server.socket_with(&format!("after={}", position(&seen)));
    let at = || position(&seen);
    assert_frames(
        &mut socket,
        &[complete(at()), missed[0].clone(), missed[1].clone(), live(position(&missed[1]))],
    );
    let next = server.raise("now");
    assert_frames(&mut socket, &[next]);
}

#[test]
fn events_outside_the_frame_log_are_read_from_the_store() {
    // More bytes than the frame log retains (8 MiB).
    let server = TestServer::start();
    let message = "x".repeat(4_000);
    let first = server.raise(&message);
    let missed: Vec<_> = (0..3_000).map(|_| server.raise(&message)).collect();
    let mut socket = server.socket_with(&format!("after={}", position(&first)));
    assert_eq!(socket.next_json(), complete(position(&first)));
    for alert in &missed {
        assert_eq!(&socket.next_json(), alert);
    }
    assert_frames(&mut socket, &[live(position(&missed[2_999]))]);
}

#[test]
fn a_client_that_missed_nothing_resumes_as_complete() {
    let server = TestServer::start();
    let seen = server.raise("seen");
    let mut socket = server.socket_with(&format!("after={}", position(&seen)));
    assert_frames(&mut socket, &[complete(position(&seen)), live(position(&seen))]);
}

#[test]
fn a_position_no_longer_retained_is_a_gap_and_the_stream_goes_live() {
    let server = TestServer::with(|settings| set_window(settings, 10));
    let first = server.raise("first");
    // More bytes than the frame log retains (8 MiB). The frame log still serves events that the
    // store has trimmed.
    let padding = "x".repeat(4_000);
    let raised: Vec<_> = (0..3_000).map(|n| server.raise(&format!("{n} {padding}"))).collect();
    let last = raised[2_999].clone();
    let foreign = "0123456789abcdef-3".to_owned();
    let beyond = position(&last).replace("-3001", "-3002");
    for asked in [position(&first).to_owned(), foreign, beyond] {
        let mut socket = server.socket_with(&format!("after={asked}"));
        let gap = json!({
            "type": "resume", "outcome": "gap",
            "position": position(&last), "oldest": earlier(&last, 10),
        });
        assert_frames(&mut socket, &[gap, live(position(&last))]);
    }
}

#[test]
fn a_stream_can_begin_with_the_newest_matching_events() {
    let server = TestServer::start();
    let alerts: Vec<_> = (0..5)
        .map(|n| {
            server.say("in between");
            server.raise(&n.to_string())
        })
        .collect();
    let posted = server.say("the last word");
    let mut socket = server.socket_with("last=2&types=alert");
    assert_frames(
        &mut socket,
        &[
            complete(earlier(&alerts[3], 1)),
            alerts[3].clone(),
            alerts[4].clone(),
            live(position(&posted)),
        ],
    );
    let mut socket = server.socket_with("last=0");
    assert_frames(&mut socket, &[complete(position(&posted)), live(position(&posted))]);
    let mut socket = server.socket_with("last=1000");
    assert_eq!(socket.next_json(), complete(earlier(&posted, 11)));
    for _ in 0..11 {
        socket.next_json();
    }
    assert_frames(&mut socket, &[live(position(&posted))]);
}

#[test]
fn a_stream_contains_only_events_that_match_its_filter() {
    let server = TestServer::start();
    let mut alerts = server.socket_with("types=alert");
    let mut chat = server.socket_with("types=chat");
    let mut gates = server.socket_with("location=North+Gate&location=South%20Gate");
    let mut both = server.socket_with("types=alert,chat");
    let mut none = server.socket_with("types=chat&location=North%20Gate");
    for socket in [&mut alerts, &mut chat, &mut gates, &mut both, &mut none] {
        assert_eq!(socket.next_json()["outcome"], "complete");
        assert_eq!(socket.next_json()["type"], "live");
    }
    let north = server.raise_at("North Gate", "one");
    let posted = server.say("two");
    let roof = server.raise_at("Roof", "three");
    let south = server.raise_at("South Gate", "four");
    assert_frames(&mut alerts, &[north.clone(), roof.clone(), south.clone()]);
    assert_frames(&mut chat, std::slice::from_ref(&posted));
    assert_frames(&mut gates, &[north.clone(), south.clone()]);
    assert_frames(&mut both, &[north, posted, roof, south]);
    none.assert_nothing_came();
}

#[test]
fn a_stream_filters_by_source_and_labels_like_the_collection() {
    let server = TestServer::start();
    let raise = |source: &str, zone: &str| {
        let body = serde_json::json!({
            "message": "Intruder detected", "location": "North Gate", "source": source,
            "labels": { "zone": zone, "floor": "1" },
        });
        server.post("/alerts", body.to_string()).json()
    };
    let queries = [
        "source=camera-7",
        "source=camera-7&source=camera-8&label.zone=yard",
        "label.zone=yard&label.zone=roof",
        "label.zone=yard&label.floor=2",
    ];
    raise("camera-7", "yard");
    raise("camera-9", "roof");
    server.raise("without either");
    server.say("not about an alert");
    for query in queries {
        let collection = server.get(&format!("/alerts?{query}")).json();
        let mut expected = collection["alerts"].as_array().unwrap().clone();
        expected.push(live(collection["position"].clone()));
        let mut socket = server.socket_with(&format!("{query}&last=9"));
        assert_eq!(socket.next_json()["outcome"], "complete", "{query}");
        assert_frames(&mut socket, &expected);
        let live = [raise("camera-8", "yard"), raise("camera-9", "roof"), server.raise("neither")];
        let shown: Vec<_> = server.get(&format!("/alerts?{query}")).json()["alerts"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|alert| live.contains(alert))
            .cloned()
            .collect();
        assert_frames(&mut socket, &shown);
    }
}

#[test]
fn an_unknown_stream_filter_is_400_with_advice() {
    let server = TestServer::start();
    for (query, advice) in [
        ("type=alert", "use types"),
        ("locations=North+Gate", "use location, once for each location"),
        ("status=open", "use types=alert,alert_update and compare the status of each event"),
        ("q=gate", "search with GET /alerts"),
        ("labels=x", "use label.<name>=<value> for each label"),
        ("liveEvery=5s", "use live_every=<n>s"),
        ("LIVE_EVERY=5s", "use live_every=<n>s"),
        ("live_every=61s", "must be 1s to 60s, in whole seconds"),
    ] {
        let problem = server.get(&format!("/events?{query}")).problem(400);
        let error = &problem["errors"][0];
        assert_eq!(error["parameter"], query.split_once('=').unwrap().0);
        assert!(error["detail"].as_str().unwrap().contains(advice), "{error}");
    }
}

#[test]
fn invalid_stream_parameters_are_400_before_the_upgrade() {
    let server = TestServer::start();
    let seen = server.raise("seen");
    let contradiction = format!("after={}&last=3", position(&seen));
    for (query, parameters) in [
        ("after=yesterday", vec!["after"]),
        ("after=", vec!["after"]),
        ("last=1001", vec!["last"]),
        ("last=-1", vec!["last"]),
        (&contradiction, vec!["last"]),
        ("types=alarm", vec!["types"]),
        ("types=", vec!["types"]),
        ("location=%20&last=x", vec!["last", "location"]),
        ("live_every=0s", vec!["live_every"]),
        ("live_every=5s&live_every=5s", vec!["live_every"]),
        ("status=open&type=alert&label.1=x", vec!["label", "status", "type"]),
    ] {
        for (path, headers) in [("/ws", UPGRADE), ("/events", "")] {
            let answer = server.request("GET", &format!("{path}?{query}"), headers, b"");
            let problem = answer.problem(400);
            let errors = problem["errors"].as_array().unwrap();
            let named: Vec<_> = errors.iter().map(|error| error["parameter"].clone()).collect();
            assert_eq!(named, parameters, "{path}?{query}");
        }
    }
    server.socket_with("unknown=1&types=alert").next_json();
}

#[test]
fn a_client_chooses_the_interval_of_live_frames() {
    let server = TestServer::start();
    let first = server.raise("first");
    let seen = || position(&first);
    let started = Instant::now();
    let mut socket = server.socket_with("live_every=1s");
    let mut stream = server.event_stream("?live_every=1s", "");
    let resume = format!(r#"{{"type":"resume","outcome":"complete","position":"{}"}}"#, seen());
    let notice = format!(r#"{{"type":"live","position":"{}"}}"#, seen());
    let record = |name: &str, data: &str| Record {
        event: Some(name.to_owned()),
        id: Some(seen().to_owned()),
        data: Some(data.to_owned()),
        retry: None,
    };
    assert_eq!(stream.next_record().unwrap().retry, Some(2_000));
    assert_eq!(socket.next_text(), resume);
    assert_eq!(stream.next_record().unwrap(), record("resume", &resume));
    for _ in 0..3 {
        assert_eq!(socket.next_text(), notice);
        assert_eq!(stream.next_record().unwrap(), record("live", &notice));
    }
    let elapsed = started.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(15)).contains(&elapsed), "{elapsed:?}");
    // The stream has no filter, and a notice never precedes the events that it covers.
    let second = server.raise("second");
    let mut next = socket.next_json();
    while next == live(seen()) {
        next = socket.next_json();
    }
    assert_eq!(next, second);
    assert_eq!(socket.next_json(), live(position(&second)));
}

#[test]
fn a_client_that_reconnects_often_gets_every_event_exactly_once() {
    let server = TestServer::with(|settings| set_window(settings, 5_000));
    let first = server.raise("first");
    let total = 1_500;
    let publish = || (0..total).map(|n| server.raise(&n.to_string())).collect::<Vec<_>>();
    let (alerts, seen) = std::thread::scope(|scope| {
        let publisher = scope.spawn(publish);
        let mut at = position(&first).to_owned();
        let mut seen = Vec::new();
        let mut cuts = 0;
        while seen.len() < total {
            let mut socket = server.socket_with(&format!("after={at}"));
            assert_eq!(socket.next_json(), complete(at.as_str()));
            for _ in 0..=((cuts * 7) % 40) {
                let frame = socket.next_json();
                at = position(&frame).to_owned();
                if frame["type"] == "alert" {
                    seen.push(frame);
                }
                if seen.len() == total {
                    break;
                }
            }
            cuts += 1;
        }
        (publisher.join().unwrap(), seen)
    });
    assert_eq!(seen, alerts);
}
