//! Access by web pages: allowed and foreign origins, CORS, hosts, and cross-site requests.

use northgate_testkit::{TestServer, UPGRADE, read_response};

const ALERT: &[u8] = br#"{"message":"a","location":"b"}"#;

#[test]
fn foreign_pages_cannot_open_sockets_or_post() {
    let server = TestServer::start();
    for origin in ["http://evil.test", "null", "https://127.0.0.1.evil.test", "file://"] {
        let origin = format!("Origin: {origin}\r\n");
        server.request("GET", "/ws", &(UPGRADE.to_owned() + &origin), b"").problem(403);
        server.request("POST", "/alerts", &origin, ALERT).problem(403);
        let reading = server.request("GET", "/alerts/history", &origin, b"");
        assert_eq!(reading.status, 200);
        assert_eq!(
            reading.header("access-control-allow-origin"),
            None,
            "the page cannot read the answer"
        );
        assert_eq!(reading.json()["count"], 0);
    }
}

#[test]
fn local_pages_and_scripts_are_allowed() {
    let server = TestServer::start();
    for origin in ["http://localhost:3000", "http://127.0.0.1:5173", "https://[::1]"] {
        let header = format!("Origin: {origin}\r\n");
        assert_eq!(server.request("GET", "/ws", &(UPGRADE.to_owned() + &header), b"").status, 101);
        let posted = server.request("POST", "/alerts", &header, ALERT);
        assert_eq!(posted.status, 200);
        assert_eq!(posted.header("access-control-allow-origin"), Some(origin));
    }
    assert_eq!(
        server.request("GET", "/ws", UPGRADE, b"").status,
        101,
        "a request without Origin comes from no page"
    );
}

#[test]
fn a_listed_origin_may_use_every_endpoint() {
    let server = TestServer::with(|s| {
        s.cors.origins = vec!["https://board.test".to_owned()].try_into().unwrap();
    });
    let header = "Origin: https://board.test\r\n";
    assert_eq!(server.request("GET", "/ws", &(UPGRADE.to_owned() + header), b"").status, 101);
    let preflight = format!(
        "{header}Access-Control-Request-Method: POST\r\n\
         Access-Control-Request-Headers: content-type\r\n"
    );
    let answer = server.request("OPTIONS", "/alerts", &preflight, b"");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://board.test"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("content-type"));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("POST"));
    assert_eq!(answer.header("access-control-max-age"), Some("600"));
    let foreign = "Origin: https://other.test\r\nAccess-Control-Request-Method: POST\r\n";
    server.request("OPTIONS", "/alerts", foreign, b"").problem(400);
}

#[test]
fn a_star_allows_every_origin() {
    let server = TestServer::with(|settings| {
        settings.cors.origins = vec!["*".to_owned()].try_into().unwrap();
    });
    for origin in ["null", "http://anything.test"] {
        let header = format!("Origin: {origin}\r\n");
        assert_eq!(server.request("GET", "/ws", &(UPGRADE.to_owned() + &header), b"").status, 101);
        let answer = server.request("POST", "/alerts", &header, ALERT);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
    }
}

#[test]
fn methods_headers_and_credentials_can_be_configured() {
    let server = TestServer::with(|settings| {
        settings.cors.methods = vec!["GET".to_owned(), "POST".to_owned()].try_into().unwrap();
        settings.cors.headers = vec!["X-Board".to_owned()].try_into().unwrap();
        settings.cors.credentials = true;
    });
    let ask = |method: &str, header: &str| {
        let headers = format!(
            "Origin: http://localhost\r\nAccess-Control-Request-Method: {method}\r\n\
             Access-Control-Request-Headers: {header}\r\n"
        );
        server.request("OPTIONS", "/alerts", &headers, b"")
    };
    let allowed = ask("POST", "x-board");
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.header("access-control-allow-credentials"), Some("true"));
    ask("DELETE", "x-board").problem(400);
    ask("POST", "x-other").problem(400);
}

#[test]
fn a_foreign_host_header_is_421() {
    let server = TestServer::with(|settings| {
        settings.server.public_host = vec!["alerts.example.com".to_owned()].try_into().unwrap();
    });
    for host in ["evil.test", "127.0.0.1.evil.test:80", "evil.test:80@localhost", "10.0.0.1"] {
        let answer = server.request("GET", "/", &format!("Host: {host}\r\n"), b"");
        let problem = answer.problem(421);
        assert!(problem["detail"].as_str().unwrap().contains("--public-host"), "{problem}");
    }
    for host in ["localhost", "LOCALHOST:1", "[::1]:8000", "127.0.0.1", "alerts.example.com:443"] {
        assert_eq!(
            server.request("GET", "/", &format!("Host: {host}\r\n"), b"").status,
            200,
            "{host}"
        );
    }
    let mut stream = server.connect();
    let absolute = "GET http://evil.test/ HTTP/1.1\r\nHost: localhost\r\n\r\n";
    std::io::Write::write_all(&mut stream, absolute.as_bytes()).unwrap();
    read_response(&mut stream).problem(421);
    let page = "Host: alerts.example.com\r\nOrigin: https://alerts.example.com\r\n";
    assert_eq!(server.request("GET", "/ws", &(page.to_owned() + UPGRADE), b"").status, 101);
}

#[test]
fn a_wildcard_bind_allows_only_known_hosts_and_same_origin_pages() {
    let server = TestServer::with(|settings| settings.server.host = "0.0.0.0".parse().unwrap());
    let port = server.address().port();
    for host in ["evil.test".to_owned(), format!("192.0.2.1:{port}")] {
        server.request("GET", "/", &format!("Host: {host}\r\n"), b"").problem(421);
    }
    for host in ["localhost", "127.0.0.1", "0.0.0.0"] {
        let page = format!("Host: {host}:{port}\r\nOrigin: http://{host}:{port}\r\n");
        assert_eq!(server.request("POST", "/alerts", &page, ALERT).status, 200, "{host}");
        let answer = server.request("GET", "/ws", &(page + UPGRADE), b"");
        assert_eq!(answer.status, 101, "{host}");
    }
    for origin in ["http://localhost:3000", "http://192.0.2.1", "null"] {
        let page = format!("Origin: {origin}\r\n");
        server.request("POST", "/alerts", &page, ALERT).problem(403);
    }
}

#[test]
fn a_listed_origin_may_have_its_default_port_or_be_a_file_url() {
    let server = TestServer::with(|settings| {
        let listed = ["https://board.test:443", "http://wall.test:80", "file://"];
        settings.cors.origins = listed.map(str::to_owned).to_vec().try_into().unwrap();
    });
    for origin in ["https://board.test", "http://wall.test", "file://"] {
        let page = format!("Origin: {origin}\r\n");
        let answer = server.request("POST", "/alerts", &page, ALERT);
        assert_eq!(answer.status, 200, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
    }
    for origin in ["http://board.test", "https://board.test:8443", "null"] {
        server.request("POST", "/alerts", &format!("Origin: {origin}\r\n"), ALERT).problem(403);
    }
}

#[test]
fn credentials_are_allowed_only_for_origins_listed_by_name() {
    let with = |origin: &str| {
        let origins = vec![origin.to_owned()];
        TestServer::with(|settings| {
            settings.cors.origins = origins.try_into().unwrap();
            settings.cors.credentials = true;
        })
    };
    let allowed = |server: &TestServer| {
        let answer = server.request("GET", "/", "Origin: https://board.test\r\n", b"");
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://board.test"));
        answer.header("access-control-allow-credentials").map(str::to_owned)
    };
    assert_eq!(allowed(&with("https://board.test")).as_deref(), Some("true"));
    assert_eq!(allowed(&with("*")), None);
}

#[test]
fn a_cross_site_image_or_script_cannot_start_a_search() {
    let server = TestServer::start();
    let cross_site = "Sec-Fetch-Site: cross-site\r\n";
    for path in ["/alerts?q=a", "/alerts/history?q=a", "/message/?q=a", "/alerts?label.a=b"] {
        let refused = server.request("GET", path, cross_site, b"").problem(403);
        assert_eq!(refused["type"], "urn:northgate:problem:cross-site-search");
        for site in ["same-origin", "same-site", "none"] {
            let header = format!("Sec-Fetch-Site: {site}\r\n");
            assert_eq!(server.request("GET", path, &header, b"").status, 200, "{site}");
        }
        let known = format!("{cross_site}Origin: http://localhost:3000\r\n");
        assert_eq!(server.request("GET", path, &known, b"").status, 200, "an allowed origin");
        let foreign = format!("{cross_site}Origin: http://evil.test\r\n");
        server.request("GET", path, &foreign, b"").problem(403);
    }
    server.request("GET", "/events", cross_site, b"").problem(403);
    // A request without a search is cheap and stays allowed. Another site cannot read its answer.
    assert_eq!(server.request("GET", "/alerts", cross_site, b"").status, 200);
}
