//! Bad input over HTTP: each kind gets its own error answer and does not affect other clients.

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use northgate_testkit::{TestServer, UPGRADE, read_response};
use serde_json::json;
use std::io::{Read, Write};

/// Posts `body` to `path` and returns the pointers of the field errors in the 422 answer.
fn pointers(server: &TestServer, path: &str, body: &str) -> Vec<String> {
    let problem = server.post(path, body).problem(422);
    let errors = problem["errors"].as_array().unwrap();
    errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn exactly_the_bad_fields_are_reported() {
    let server = TestServer::start();
    let long = format!("\"{}\"", "x".repeat(5_000));
    let bad_values =
        ["", "null", "7", "true", "1.5", "[]", "{}", "\"\"", "\" \\t\\n\"", "\"a\\u0000b\"", &long];
    for (path, fields) in
        [("/alerts", ["location", "message"]), ("/message/", ["message", "sender"])]
    {
        for first in bad_values.iter().chain([&"\"fine\""]) {
            for second in bad_values.iter().chain([&"\"fine\""]) {
                let values = fields.into_iter().zip([first, second]);
                let present = values.clone().filter(|(_, value)| !value.is_empty());
                let members: Vec<_> =
                    present.map(|(name, value)| format!("\"{name}\":{value}")).collect();
                let expected: Vec<_> = values
                    .filter(|(_, value)| **value != "\"fine\"")
                    .map(|(name, _)| format!("#/{name}"))
                    .collect();
                if expected.is_empty() {
                    continue;
                }
                let body = format!("{{{}}}", members.join(","));
                assert_eq!(pointers(&server, path, &body), expected, "{path} {body:.200}");
            }
        }
    }
    assert_eq!(server.get("/alerts/history").json()["count"], 0, "no alert was stored");
    assert_eq!(server.get("/message/").json()["count"], 0, "no message was stored");
}

#[test]
fn length_limits_count_characters_as_documented() {
    let server = TestServer::start();
    let alert = |message: usize, location: usize| {
        json!({ "message": "\u{1F6A8}".repeat(message), "location": "é".repeat(location) })
            .to_string()
    };
    assert_eq!(server.post("/alerts", alert(4_096, 256)).status, 200);
    assert_eq!(pointers(&server, "/alerts", &alert(4_097, 257)), ["#/location", "#/message"]);
    let chat = |sender: usize| json!({ "sender": "é".repeat(sender), "message": "x" }).to_string();
    assert_eq!(server.post("/message/", chat(128)).status, 200);
    assert_eq!(pointers(&server, "/message/", &chat(129)), ["#/sender"]);
}

#[test]
fn a_url_that_is_too_long_once_encoded_is_refused() {
    let server = TestServer::start();
    let mut refused = 0;
    // Punycode makes such hosts several times longer. Some URLs then exceed the limit.
    for letters in (600..680_u32).step_by(4) {
        let host: String = (0..letters)
            .map(|n| char::from_u32(0x4E00 + n * 7_919 % 20_000).expect("a letter"))
            .collect();
        let url = format!("https://{host}/");
        let body = json!({ "message": "a", "location": "b", "url": url }).to_string();
        if server.post("/alerts", body.as_str()).status != 200 {
            assert_eq!(pointers(&server, "/alerts", &body), ["#/url"]);
            refused += 1;
        }
    }
    assert!(refused > 0);
    assert_eq!(server.get("/alerts/summary").json()["total"], 20 - refused);
    server.raise("still there");
}

#[test]
fn a_body_that_is_not_an_object_is_422_with_the_root_pointer() {
    let server = TestServer::start();
    for body in
        ["", " \r\n ", "null", "[]", "[{\"message\":\"a\",\"location\":\"b\"}]", "\"x\"", "1"]
    {
        assert_eq!(pointers(&server, "/alerts", body), ["#"], "{body:?}");
    }
}

#[test]
fn malformed_json_is_400() {
    let server = TestServer::start();
    let deep =
        format!(r#"{{"message":"a","location":"b","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    for body in [
        &b"nope"[..],
        b"{",
        b"{'message':'a'}",
        b"{\"message\":\"a\",}",
        b"{\"message\":\"a\"} x",
        b"{\"message\":\"a\nb\",\"location\":\"x\"}",
        b"{\"message\":NaN,\"location\":\"x\"}",
        b"{\"message\":\"\\ud800\",\"location\":\"x\"}",
        b"{\"message\":\"\\udc00\\ud800\",\"location\":\"x\"}",
        b"{\"message\":\"\xff\xfe\",\"location\":\"x\"}",
        b"{\"message\":\"\xed\xa0\x80\",\"location\":\"x\"}",
        b"\xff\xfe{\x00}\x00",
        deep.as_bytes(),
    ] {
        let problem = server.post("/alerts", body).problem(400);
        assert_eq!(problem["type"], "urn:northgate:problem:malformed-json");
        assert!(problem.get("errors").is_none());
    }
    assert_eq!(server.get("/alerts/history").json()["count"], 0);
}

#[test]
fn a_body_over_the_limit_is_413_with_and_without_content_length() {
    let server = TestServer::start();
    let huge = vec![b' '; 10 * 1024 * 1024];
    server.post("/alerts", &huge).problem(413);
    let large = format!("{:x}\r\n{}\r\n0\r\n\r\n", 70_000, " ".repeat(70_000));
    let headers = "Transfer-Encoding: chunked\r\n";
    let mut stream = server.connect();
    let head = format!("POST /alerts HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", server.address());
    stream.write_all(head.as_bytes()).unwrap();
    let _ = stream.write_all(large.as_bytes());
    read_response(&mut stream).problem(413);
    let exact = format!("{{\"message\":\"a\",\"location\":\"b\"{}}}", " ".repeat(65_536 - 30));
    assert_eq!(exact.len(), 65_536);
    assert_eq!(server.post("/alerts", &exact).status, 200);
    server.post("/alerts", exact + " ").problem(413);
}

#[test]
fn a_connection_can_be_used_after_a_refused_body() {
    let server = TestServer::start();
    let mut stream = server.connect();
    let large = " ".repeat(1024 * 1024);
    for (path, media_type, status) in [
        ("/alerts", "application/json", 413),
        ("/alerts", "text/plain", 415),
        ("/nope", "application/json", 404),
        ("/", "application/json", 405),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media_type}\r\n\
             Content-Length: {}\r\n\r\n",
            large.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(large.as_bytes()).unwrap();
        read_response(&mut stream).problem(status);
    }
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert_eq!(read_response(&mut stream).status, 200);
}

#[test]
fn an_upgrade_header_is_ignored_except_on_the_socket_path() {
    let server = TestServer::start();
    let body = br#"{"message":"a","location":"b"}"#;
    for wish in [
        "Upgrade: websocket\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
    ] {
        assert_eq!(server.request("POST", "/alerts", wish, body).status, 200, "{wish}");
        server.request("POST", "/alerts", wish, b"").problem(422);
        server.request("POST", "/nope", wish, body).problem(404);
        server.request("POST", "/ws", wish, body).problem(405);
        assert_eq!(server.request("GET", "/", wish, b"").status, 200, "{wish}");
        server.request("GET", "/nope", wish, b"").problem(404);
    }
    let foreign = "Origin: http://evil.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n";
    server.request("POST", "/alerts", foreign, body).problem(403);
    for target in ["/", "/alerts", "/nope"] {
        let answer = server.request("CONNECT", target, "", b"");
        assert!([400, 404, 405].contains(&answer.status), "{answer:?}");
    }
}

#[test]
fn a_body_with_another_content_type_is_415() {
    let server = TestServer::start();
    for media_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "?"]
    {
        let headers = format!("Content-Type: {media_type}\r\n");
        let body = br#"{"message":"a","location":"b"}"#;
        server.request("POST", "/alerts", &headers, body).problem(415);
    }
}

#[test]
fn compressed_bodies_are_accepted_up_to_the_limit() {
    let server = TestServer::start();
    let alert = br#"{"message":"packed","location":"North Gate"}"#;
    let large = vec![b' '; 10 * 1024 * 1024];
    let post = |coding: &str, body: &[u8]| {
        server.request("POST", "/alerts", &format!("Content-Encoding: {coding}\r\n"), body)
    };
    let mut accepted = 0;
    for (coding, encode) in [
        ("gzip", gzip as fn(&[u8]) -> Vec<u8>),
        ("X-GZip", gzip),
        ("deflate", zlib),
        ("deflate", deflate),
        ("zstd", |bytes| zstd::encode_all(bytes, 3).unwrap()),
        ("identity", <[u8]>::to_vec),
    ] {
        assert_eq!(post(coding, &encode(alert)).json()["message"], "packed", "{coding}");
        accepted += 1;
        let bomb = encode(&large);
        let problem = post(coding, &bomb).problem(413);
        assert_eq!(problem["type"], "urn:northgate:problem:too-large", "{coding}");
        if coding != "identity" {
            post(coding, alert).problem(400);
        }
    }
    for coding in ["br", "compress", "gzip, gzip", "gzip, identity, zstd"] {
        let answer = post(coding, alert);
        let problem = answer.problem(415);
        assert_eq!(problem["type"], "urn:northgate:problem:content-encoding", "{coding}");
        assert_eq!(answer.header("accept-encoding"), Some("gzip, deflate, zstd"), "{coding}");
    }
    assert_eq!(server.get("/alerts").json()["count"], accepted);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn unknown_paths_are_404_for_every_method() {
    let server = TestServer::start();
    for path in [
        "/nope",
        "/alerts/history/x",
        "//alerts",
        "/Alerts",
        "/docs/../etc/passwd",
        "/docs/x",
        "/%00",
    ] {
        server.get(path).problem(404);
    }
    server.post("/nope", "{}").problem(404);
    server.request("DELETE", "/nope", "", b"").problem(404);
}

#[test]
fn bytes_that_are_not_http_get_a_problem_that_names_the_fault() {
    let server = TestServer::start();
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(140_000));
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(70_000));
    for (bytes, status, detail) in [
        (b"garbage\r\n\r\n".as_slice(), 400, "request line"),
        (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", 400, "header"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "no Host"),
        (b"GET /\xfc HTTP/1.1\r\nHost: a\r\n\r\n", 400, "request line"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/1.1"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "TLS"),
        (b"POST /alerts HTTP/1.0\r\n\r\n", 411, "Content-Length"),
        (large.as_bytes(), 431, "131072"),
        (long.as_bytes(), 414, "65534"),
    ] {
        let mut stream = server.connect();
        let _ = stream.write_all(bytes);
        let answer = read_response(&mut stream);
        let problem = answer.problem(status);
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(answer.header("date").is_some());
        assert_eq!(stream.read(&mut [0]).unwrap(), 0, "the server closes the connection");
    }
}

#[test]
fn unencoded_characters_in_a_query_are_accepted() {
    let server = TestServer::start();
    let alert = server.raise_at("S\u{fc}dtor", "\"quoted\"");
    server.raise("another one");
    for query in ["location=S\u{fc}dtor", "q=\"quoted\"", "q=quoted|", "q={quoted}"] {
        let found = server.get(&format!("/alerts?{query}")).json();
        assert_eq!(found["alerts"], serde_json::json!([alert]), "{query}");
    }
    server.get("/\u{fc}").problem(404);
    server.get("/\"").problem(404);
}

#[test]
fn options_star_lists_the_methods_of_the_server() {
    let answer = TestServer::start().request("OPTIONS", "*", "", b"");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("allow"), Some("GET, HEAD, POST, OPTIONS"));
}

#[test]
fn problems_reveal_no_internals() {
    let server = TestServer::start();
    for answer in [
        server.get("/nope"),
        server.post("/alerts", "{"),
        server.post("/alerts", "{}"),
        server.get("/ws"),
    ] {
        let text = answer.text().to_lowercase();
        for word in ["src/", ".rs", "panic", "serde", "actix", "expected value", "unwrap"] {
            assert!(!text.contains(word), "{text}");
        }
    }
}

#[test]
fn every_answer_carries_the_security_headers() {
    let server = TestServer::start();
    let preflight = "Origin: http://localhost\r\nAccess-Control-Request-Method: POST\r\n";
    for (answer, status) in [
        (server.get("/"), 200),
        (server.get("/nope"), 404),
        (server.post("/alerts", "{"), 400),
        (server.post("/alerts", "{}"), 422),
        (server.request("PUT", "/alerts", "", b""), 405),
        (server.request("GET", "/", "Host: evil.test\r\n", b""), 421),
        (server.request("POST", "/alerts", "Origin: http://evil.test\r\n", b"{}"), 403),
        (server.request("OPTIONS", "/alerts", preflight, b""), 200),
        (server.get("/ws"), 426),
        (server.request("GET", "/ws", UPGRADE, b""), 101),
        (server.get("/docs"), 200),
    ] {
        assert_eq!(answer.status, status, "{answer:?}");
        for (name, value) in [
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("X-XSS-Protection", "1; mode=block"),
            ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name} of {status}");
        }
        let policy = answer.header("Content-Security-Policy").unwrap();
        let docs = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
            img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
            frame-ancestors 'none'";
        let all_others =
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        assert!([docs, all_others].contains(&policy), "{policy}");
    }
}

#[test]
fn a_post_is_503_after_the_store_is_closed_at_shutdown() {
    // A keep-alive connection is still open when the server no longer accepts events.
    let mut server = TestServer::start();
    let mut socket = server.raw_socket();
    let mut stream = server.connect();
    let body = r#"{"message":"a","location":"b"}"#;
    let request = format!(
        "POST /alerts HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n{body}",
        server.address(),
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    assert_eq!(read_response(&mut stream).status, 200);
    // This request is in progress when the server is asked to stop. The body is sent after that.
    // `100 Continue` proves that the server waits for the body.
    let asking = request.replace("Content-Length", "Expect: 100-continue\r\nContent-Length");
    let (beginning, rest) = asking.split_at(asking.len() - body.len());
    stream.write_all(beginning.as_bytes()).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.begin_stop();
    let (first, _) = socket.read_frame();
    assert_eq!(first, 0x81, "the alert that was raised before the stop");
    socket.assert_closed_with(1001);
    stream.write_all(rest.as_bytes()).unwrap();
    let answer = read_response(&mut stream);
    answer.problem(503);
    assert_eq!(answer.header("retry-after"), Some("1"));
}
