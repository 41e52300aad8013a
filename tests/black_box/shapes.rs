//! Answers and frames have exactly the members that the OpenAPI document lists.

use northgate_testkit::{TestServer, set_window};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The members of a schema, including those of its `allOf` schemas: all members with their schemas,
/// and the names of the required members.
pub fn members_of(document: &Value, schema: &Value) -> (BTreeMap<String, Value>, BTreeSet<String>) {
    if let Some(name) = name_of(schema) {
        return members_of(document, &document["components"]["schemas"][name]);
    }
    let mut all: BTreeMap<_, _> =
        schema["properties"].as_object().cloned().into_iter().flatten().collect();
    let names = schema["required"].as_array().into_iter().flatten();
    let mut required: BTreeSet<_> = names.map(|name| name.as_str().unwrap().to_owned()).collect();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        let (more, also) = members_of(document, part);
        all.extend(more);
        required.extend(also);
    }
    (all, required)
}

fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

/// The member names of every object in the answers, by the name of its schema.
struct SeenObjects {
    document: Value,
    objects: BTreeMap<String, Vec<BTreeSet<String>>>,
}

impl SeenObjects {
    fn add(&mut self, name: &str, json: &Value) {
        self.walk(&json!({ "$ref": format!("#/components/schemas/{name}") }), json);
    }

    fn walk(&mut self, schema: &Value, json: &Value) {
        let (members, _) = members_of(&self.document, schema);
        if let (Some(name), Some(object)) = (name_of(schema), json.as_object()) {
            let names = object.keys().cloned().collect();
            self.objects.entry(name.to_owned()).or_default().push(names);
        }
        for (name, member) in json.as_object().into_iter().flatten() {
            self.walk(members.get(name).unwrap_or(&Value::Null), member);
        }
        for item in json.as_array().into_iter().flatten() {
            self.walk(&schema["items"], item);
        }
        for form in schema["oneOf"].as_array().into_iter().flatten() {
            self.walk(form, json);
        }
    }

    /// Adds the frames of a stream until it is live or reports a gap.
    fn add_frames(&mut self, server: &TestServer, query: &str) {
        let mut socket = server.socket_with(query);
        loop {
            let frame = socket.next_json();
            let name = match frame["type"].as_str().unwrap() {
                "alert" => "Alert",
                "alert_update" => "AlertUpdate",
                "chat" => "ChatMessage",
                "resume" => "ResumeNotice",
                "live" => return self.add("LiveNotice", &frame),
                other => panic!("{other}"),
            };
            self.add(name, &frame);
            if frame["outcome"] == "gap" {
                return;
            }
        }
    }
}

/// Creates alerts and messages with all members and with only the required ones. Returns the ids of
/// a resolved alert and of an open one.
fn fill(server: &TestServer) -> [String; 2] {
    let post = |path: &str, body: Value| {
        let answer = server.post(path, body.to_string());
        assert_eq!(answer.status, 200, "{path} {body}: {answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    };
    let full = json!({
        "message": "Fire", "location": "Hall", "severity": "critical", "source": "camera",
        "labels": { "zone": "a" }, "url": "http://x/", "dedup_key": "k",
        "expires_at": "2999-01-01T00:00:00Z"
    });
    let resolved = post("/alerts", full.clone());
    post("/alerts", full);
    for number in 0..21 {
        post(
            &format!("/alerts/{resolved}/notes"),
            json!({ "by": "Anna", "note": number.to_string() }),
        );
    }
    for action in ["acknowledge", "resolve"] {
        post(&format!("/alerts/{resolved}/{action}"), json!({ "by": "Anna", "note": "x" }));
    }
    let open = post("/alerts", json!({ "message": "Fire", "location": "Hall" }));
    for action in ["acknowledge", "unacknowledge"] {
        post(&format!("/alerts/{open}/{action}"), json!({ "by": "Anna" }));
    }
    post("/message/", json!({ "sender": "Anna", "message": "x" }));
    post("/message/", json!({ "sender": "Anna", "message": "x", "alert_id": open }));
    [resolved, open]
}

fn add_answers(seen: &mut SeenObjects, server: &TestServer, resolved: &str, open: &str) {
    for (path, name) in [
        ("/", "Welcome"),
        ("/health/ready", "Health"),
        ("/alerts", "AlertCollection"),
        ("/alerts/summary", "AlertSummary"),
        ("/message/", "MessageCollection"),
        ("/nope", "Problem"),
        ("/alerts?limit=x", "Problem"),
    ] {
        seen.add(name, &server.get(path).json());
    }
    seen.add("Timeline", &server.get(&format!("/alerts/{resolved}/timeline")).json());
    let by = r#"{"by":"Ben"}"#;
    seen.add("Problem", &server.post("/alerts", "{}").problem(422));
    seen.add("Problem", &server.post(&format!("/alerts/{resolved}/acknowledge"), by).problem(409));
    let (path, other) = (format!("/alerts/{open}/acknowledge"), "If-Match: \"99\"\r\n");
    seen.add("Problem", &server.request("POST", &path, other, by.as_bytes()).problem(412));
    let ids = [open, "5c54e4c8-7a07-4d4f-9d0a-3f2f6c1c2d11"];
    let many = json!({ "action": "acknowledge", "by": "Ben", "ids": ids });
    seen.add("ActionResults", &server.post("/alerts/actions", many.to_string()).json());

    let mut socket = server.socket();
    for (frame, name) in [
        (json!({ "type": "acknowledge", "by": "Ben", "id": open }), "ResultFrame"),
        (json!({ "type": "acknowledge", "by": "Ben", "id": resolved }), "ResultFrame"),
        (json!({ "type": "acknowledge", "by": "Ben", "id": ids[1], "ref": "a" }), "ResultFrame"),
        (json!({ "type": "acknowledge" }), "ResultFrame"),
        (json!({ "message": 7 }), "ErrorFrame"),
    ] {
        socket.send(&frame.to_string());
        seen.add(name, &socket.next_json());
    }
}

#[test]
fn answers_have_exactly_the_members_of_the_openapi_document() {
    let server = TestServer::start();
    let document = server.get("/openapi.json").json();
    let mut seen = SeenObjects { document, objects: BTreeMap::new() };
    let [resolved, open] = fill(&server);
    seen.add_frames(&server, "last=100&types=alert,alert_update,chat");
    seen.add_frames(&server, "after=0000000000000001-1");
    add_answers(&mut seen, &server, &resolved, &open);

    let short = TestServer::with(|settings| set_window(settings, 1));
    let alert = short.raise("Fire");
    short.say("trims the event of the alert");
    let path = format!("/alerts/{}/timeline", alert["id"].as_str().unwrap());
    seen.add("Timeline", &short.get(&path).json());

    let strict = TestServer::with(|settings| {
        settings.chat.burst = 1.try_into().unwrap();
        settings.server.max_connections = 1.try_into().unwrap();
    });
    let mut socket = strict.socket();
    for _ in 0..2 {
        socket.send("no chat");
        seen.add("ErrorFrame", &socket.next_json());
    }
    let mut busy = strict.event_stream("", "");
    busy.next_record().unwrap();
    seen.add("BusyNotice", &busy.next_record().unwrap().json());

    let mut differences = Vec::new();
    for (name, schema) in seen.document["components"]["schemas"].as_object().unwrap() {
        let (members, required) = members_of(&seen.document, schema);
        // The tests of the crate `schemas` check request bodies. `OutcomeBody` occurs only as a
        // part of other schemas.
        let is_request = name.starts_with("New") || name == "ActionFrame";
        if members.is_empty() || is_request || name == "OutcomeBody" {
            continue;
        }
        let objects = seen
            .objects
            .get(name)
            .unwrap_or_else(|| panic!("no answer or frame contained a {name}"));
        let all: BTreeSet<_> = objects.iter().flatten().collect();
        let is_always = |member: &&String| objects.iter().all(|object| object.contains(*member));
        let always: BTreeSet<_> = all.iter().copied().filter(is_always).collect();
        if all != members.keys().collect() || always != required.iter().collect() {
            differences.push(format!(
                "{name} has {all:?}, always {always:?}. The document lists {:?}, required {required:?}",
                members.keys()
            ));
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn every_documented_parameter_is_validated() {
    let server = TestServer::start();
    let document = server.get("/openapi.json").json();
    let id = server.raise("Fire")["id"].as_str().unwrap().to_owned();
    let request = |method: &str, path: &str, header: &str| {
        server.request(&method.to_uppercase(), path, &format!("{header}\r\n"), b"{}")
    };
    let operations = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        let path = path.replace("{id}", &id);
        item.as_object().unwrap().iter().map(move |(method, shown)| (path.clone(), method, shown))
    });
    let mut read = BTreeSet::new();
    for (path, method, operation) in operations {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap().replace("<name>", "zone");
            match (parameter["in"].as_str().unwrap(), name.as_str()) {
                // No value of these parameters is an error 400. An unknown position is a gap, and
                // an unknown id in the path is 404.
                ("query", "lastEventId") | ("header", "Last-Event-ID") | ("path", _) => continue,
                ("query", _) => {
                    let query = format!("{path}?{name}={}", "%07".repeat(300));
                    let problem = server.get(&query).problem(400);
                    assert_eq!(problem["errors"][0]["parameter"], name, "{path}");
                }
                (_, "If-None-Match") => {
                    assert_eq!(request(method, &path, "If-None-Match: *").status, 304, "{path}");
                }
                _ => {
                    let problem =
                        request(method, &path, &format!("{name}: two words")).problem(400);
                    let kind = format!("urn:northgate:problem:{}", name.to_lowercase());
                    assert_eq!(problem["type"], kind, "{path}");
                }
            }
            read.insert(name);
        }
    }
    assert_eq!(read.len(), 19, "{read:?}");
}
