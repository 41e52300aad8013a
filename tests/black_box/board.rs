//! The built-in web page: which clients get it, and how browsers may cache its files.

use northgate_testkit::{HttpResponse, TestServer};

const BROWSER: &str = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n";

fn page(server: &TestServer) -> HttpResponse {
    let page = server.request("GET", "/", BROWSER, b"");
    assert_eq!(page.status, 200, "{page:?}");
    page
}

/// The addresses of the files that the page loads.
fn assets(page: &HttpResponse) -> Vec<String> {
    let text = page.text();
    let addresses = text.split('"').filter(|part| part.starts_with("assets/"));
    addresses.map(|address| format!("/{address}")).collect()
}

#[test]
fn a_browser_gets_the_board_and_all_others_the_greeting() {
    let server = TestServer::start();
    let page = page(&server);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.text().contains("<title>Northgate</title>"), "{}", page.text());
    assert!(page.header("vary").unwrap().starts_with("Accept, Accept-Encoding"), "{page:?}");
    for accept in ["", "Accept: */*\r\n", "Accept: application/json\r\n"] {
        let greeting = server.request("GET", "/", accept, b"");
        let expected = r#"{"message":"Welcome to my WebSocket Application"}"#;
        assert_eq!(greeting.text(), expected, "{accept}");
        assert!(greeting.header("vary").unwrap().starts_with("Accept, "), "{greeting:?}");
    }
    let head = server.request("HEAD", "/", BROWSER, b"");
    assert_eq!((head.status, head.text()), (200, ""));
    assert_eq!(head.header("content-length"), page.header("content-length"));
    server.request("POST", "/", BROWSER, b"").problem(405);
}

#[test]
fn the_board_allows_no_inline_script_and_no_inline_style() {
    let server = TestServer::start();
    let page = page(&server);
    let policy = page.header("content-security-policy").unwrap();
    assert_eq!(
        policy,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let text = page.text();
    assert!(
        !text.contains(" style=") && !text.contains("<style") && !text.contains(" on"),
        "{text}"
    );
    let scripts: Vec<_> = text.split("<script").skip(1).collect();
    assert_eq!(scripts.len(), 2);
    for script in scripts {
        assert!(script.split('>').next().unwrap().contains(" src=\"assets/"), "{script}");
        assert!(script.contains("></script>"), "{script}");
    }
}

#[test]
fn every_file_of_the_board_may_be_cached_forever() {
    let server = TestServer::start();
    let page = page(&server);
    let assets = assets(&page);
    assert!(assets.len() > 20, "{assets:?}");
    for address in &assets {
        let file = server.get(address);
        assert_eq!(file.status, 200, "{address}");
        assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));
        let known = format!("If-None-Match: {}\r\n", file.header("etag").unwrap());
        let again = server.request("GET", address, &known, b"");
        assert_eq!((again.status, again.text()), (304, ""), "{address}");
    }
    let other = assets[0].replacen("/assets/", "/assets/0", 1);
    let file = server.get(&other);
    assert_eq!((file.status, file.header("cache-control")), (200, Some("no-cache")));
    server.get("/assets/0/nope.js").problem(404);
    server.get("/assets/0/../../etc/passwd").problem(404);
}

#[test]
fn the_page_is_revalidated_and_compressed() {
    let server = TestServer::start();
    let plain = page(&server);
    assert_eq!(plain.header("cache-control"), Some("no-cache"));
    let compressed =
        server.request("GET", "/", &format!("{BROWSER}Accept-Encoding: gzip\r\n"), b"");
    assert_eq!(compressed.header("content-encoding"), Some("gzip"));
    assert_ne!(compressed.header("etag"), plain.header("etag"));
    let known = format!("{BROWSER}If-None-Match: {}\r\n", plain.header("etag").unwrap());
    assert_eq!(server.request("GET", "/", &known, b"").status, 304);
}

#[test]
fn the_name_of_the_board_is_in_the_page() {
    let server = TestServer::with(|settings| {
        settings.board.name = Some("Plant <4>".parse().unwrap());
    });
    let text = page(&server).text().to_owned();
    assert!(text.contains("<title>Plant &lt;4&gt; · Northgate</title>"), "{text}");
    assert!(text.contains("<meta name=\"board-name\" content=\"Plant &lt;4&gt;\">"), "{text}");
}
