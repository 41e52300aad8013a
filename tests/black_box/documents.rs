//! The embedded documentation matches the server's behaviour and loads nothing from the network.

use crate::shapes::members_of;
use northgate_testkit::TestServer;
use serde_json::Value;

#[test]
fn the_openapi_document_lists_exactly_the_paths_of_the_server() {
    let server = TestServer::start();
    let document = server.get("/openapi.json").json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "/",
            "/alerts",
            "/alerts/actions",
            "/alerts/history",
            "/alerts/summary",
            "/alerts/{id}",
            "/alerts/{id}/acknowledge",
            "/alerts/{id}/messages",
            "/alerts/{id}/notes",
            "/alerts/{id}/reopen",
            "/alerts/{id}/resolve",
            "/alerts/{id}/timeline",
            "/alerts/{id}/unacknowledge",
            "/events",
            "/health/live",
            "/health/ready",
            "/message/"
        ]
    );
    for (path, item) in document["paths"].as_object().unwrap() {
        let allow =
            server.request("OPTIONS", path, "", b"").header("allow").unwrap().to_lowercase();
        let documented: Vec<_> = item.as_object().unwrap().keys().map(String::as_str).collect();
        let answered: Vec<_> =
            allow.split(", ").filter(|method| !["head", "options"].contains(method)).collect();
        assert_eq!(documented, answered, "{path}");
    }
}

#[test]
fn every_operation_has_a_summary_of_at_most_eight_words() {
    let server = TestServer::start();
    let document = server.get("/openapi.json").json();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (path, method, operation))
    });
    for (path, method, operation) in operations {
        let summary = operation["summary"].as_str().unwrap_or_default();
        let words = summary.split(' ').count();
        assert!((2..=8).contains(&words), "{method} {path}: {summary}");
        assert!(
            summary.ends_with('.') && !summary.contains(['`', '\n']),
            "{method} {path}: {summary}"
        );
    }
}

/// Path of a request, and schema of its body. The requests succeed if they are sent in this order.
const BODIES: [(&str, &str); 8] = [
    ("/alerts", "NewAlert"),
    ("/message/", "NewMessage"),
    ("/alerts/{id}/acknowledge", "NewAction"),
    ("/alerts/{id}/unacknowledge", "NewAction"),
    ("/alerts/{id}/resolve", "NewAction"),
    ("/alerts/{id}/reopen", "NewAction"),
    ("/alerts/{id}/notes", "NewNote"),
    ("/alerts/actions", "NewActions"),
];

fn examples(document: &Value, schema: &str) -> Vec<Value> {
    let schema = &document["components"]["schemas"][schema];
    let listed = schema["examples"].as_array().cloned().unwrap_or_default();
    listed.into_iter().chain(schema.get("example").cloned()).collect()
}

#[test]
fn every_example_of_the_openapi_document_is_accepted() {
    let server = TestServer::start();
    let document = server.get("/openapi.json").json();
    let alert = server.raise("Fire");
    for (path, schema) in BODIES {
        let examples = examples(&document, schema);
        assert!(!examples.is_empty(), "{schema} has an example");
        for example in examples {
            let path = path.replace("{id}", alert["id"].as_str().unwrap());
            let answer = server.post(&path, example.to_string());
            assert_eq!(answer.status, 200, "{path} {example} {answer:?}");
        }
    }
}

#[test]
fn length_limits_match_the_openapi_document() {
    let server = TestServer::start();
    let document = server.get("/openapi.json").json();
    let alert = server.raise("Fire");
    let mut limits = 0;
    for (path, schema) in BODIES {
        let path = path.replace("{id}", alert["id"].as_str().unwrap());
        let fields = document["components"]["schemas"][schema]["properties"].as_object().unwrap();
        for (field, described) in fields {
            let Some(longest) = described["maxLength"].as_u64() else { continue };
            let longest = usize::try_from(longest).unwrap();
            for (length, status) in [(longest, 200), (longest + 1, 422)] {
                let mut body = examples(&document, schema)[0].clone();
                let start = if field == "url" { "http://x/" } else { "" };
                body[field] = format!("{start:x<length$}").into();
                let answer = server.post(&path, body.to_string());
                assert_eq!(answer.status, status, "{path} {field}: {length}");
            }
            limits += 1;
        }
    }
    assert_eq!(limits, 19);
}

#[test]
fn the_docs_page_has_only_local_and_relative_links() {
    let server = TestServer::start();
    for path in ["/docs", "/docs/"] {
        let page = server.get(path);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let html = page.text();
        assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("//cdn"));
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert!(policy.contains("connect-src 'self'"), "{policy}");
        let links = ["href", "src", "data-document"].into_iter().flat_map(|attribute| {
            html.split(&format!(" {attribute}=\"")).skip(1).map(str::to_owned).collect::<Vec<_>>()
        });
        let mut loaded = 0;
        for link in links {
            let link = link.split('"').next().unwrap();
            assert!(!link.starts_with('/'), "{link}");
            // The link, resolved as a browser resolves it (RFC 3986 section 5.2).
            let folder = &path[..=path.rfind('/').unwrap()];
            let address = match link.strip_prefix("../") {
                Some(above) => format!("/{above}"),
                None => format!("{folder}{link}"),
            };
            let file = server.get(&address);
            assert_eq!(file.status, 200, "{path}: {link}");
            assert!(file.body.len() > 100, "{path}: {link}");
            loaded += 1;
        }
        assert_eq!(loaded, 6);
    }
    for (path, location) in [("/redoc", "docs"), ("/redoc/", "../docs")] {
        let redoc = server.get(path);
        assert_eq!((redoc.status, redoc.header("location")), (307, Some(location)));
    }
    assert_eq!(server.get("/openapi.json").json()["servers"][0]["url"], ".");
}

#[test]
fn every_example_of_the_protocol_page_is_valid() {
    let text = std::fs::read_to_string("../docs/PROTOCOL.md").unwrap();
    let examples: Vec<Value> = text
        .split("```json\n")
        .skip(1)
        .map(|rest| serde_json::from_str(rest.split("```").next().unwrap()).unwrap())
        .collect();
    let server = TestServer::start();
    let document = server.get("/openapi.json").json();
    let alert = server.raise("Fire");
    let mut seen = std::collections::BTreeSet::new();
    for example in examples {
        let schema = match example["type"].as_str() {
            Some("alert") => "Alert",
            Some("alert_update") => "AlertUpdate",
            Some("chat") => "ChatMessage",
            Some("resume") => "ResumeNotice",
            Some("live") => "LiveNotice",
            Some("error") => "ErrorFrame",
            Some("result") => "ResultFrame",
            Some("acknowledge") => "ActionFrame",
            Some(problem) if problem.starts_with("urn:") => "Problem",
            None => "NewMessage",
            Some(other) => panic!("{other}"),
        };
        seen.insert(schema);
        let (all, required) = members_of(&document, &document["components"]["schemas"][schema]);
        let members: Vec<_> = example.as_object().unwrap().keys().cloned().collect();
        assert!(members.iter().all(|name| all.contains_key(name)), "{schema} {all:?} {example}");
        assert!(required.iter().all(|name| members.contains(name)), "{required:?} {example}");
        if matches!(schema, "ActionFrame" | "NewMessage") {
            let mut sent = example.clone();
            for name in ["id", "alert_id"] {
                if let Some(id) = sent.get_mut(name) {
                    *id = alert["id"].clone();
                }
            }
            let mut socket = server.socket();
            socket.send(&sent.to_string());
            let answer = socket.next_json();
            let kind = if schema == "ActionFrame" { "result" } else { "chat" };
            assert_eq!(answer["type"], kind, "{answer}");
            assert!(answer.get("error").is_none(), "{answer}");
        }
    }
    assert_eq!(seen.len(), 10, "{seen:?}");
}
