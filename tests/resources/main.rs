//! Limits on the memory and the open files that clients can occupy in the server. The tests measure
//! the complete process, so they have their own binary and run one at a time.

use northgate_testkit::{TestServer, eventually, open_files, resident_kib};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::Duration;

/// Lock of the running test.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn a_frame_of_a_gigabyte_costs_no_memory() {
    let _alone = ALONE.lock().unwrap();
    let server = TestServer::start();
    let mut neighbour = server.socket();
    let mut socket = server.raw_socket();
    let before = resident_kib();
    socket.send(&[&[0x82, 0xFF][..], &(1_u64 << 30).to_be_bytes(), &[0; 4]].concat());
    let megabyte = vec![0; 1024 * 1024];
    for _ in 0..50 {
        // After the server has closed the connection, sending fails immediately.
        socket.send(&megabyte);
    }
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 30 * 1024, "memory grew by {grown} KiB for a refused message");
    let alert = server.raise("still here");
    assert_eq!(neighbour.next_json(), alert);
}

#[test]
fn endless_requests_of_a_client_that_never_reads_cost_no_memory() {
    let _alone = ALONE.lock().unwrap();
    let server = TestServer::start();
    for request in ["OPTIONS / HTTP/1.1", "GET /redoc HTTP/1.1", "GET /alerts/history HTTP/1.1"] {
        let mut greedy = server.connect();
        greedy.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        let before = resident_kib();
        let many = format!("{request}\r\nHost: localhost\r\n\r\n").repeat(1_000);
        // The loop ends when the server stops reading, at the latest after one million requests.
        let taken = (0..1_000).take_while(|_| greedy.write_all(many.as_bytes()).is_ok()).count();
        assert!(taken < 1_000, "{request}: the server never stops reading");
        let grown = resident_kib().saturating_sub(before);
        assert!(
            grown < 30 * 1024,
            "{request}: memory grew by {grown} KiB for {taken} thousand requests"
        );
    }
    assert_eq!(server.get("/").status, 200);
}

/// Opens `count` connections, sends one request on each, and does not read.
fn slow_readers(server: &TestServer, path: &str, count: usize) -> Vec<TcpStream> {
    let reader = |_| {
        let mut reader = server.connect();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        reader.write_all(request.as_bytes()).unwrap();
        reader
    };
    (0..count).map(reader).collect()
}

#[test]
fn thousands_of_requests_in_one_write_cost_no_memory() {
    let _alone = ALONE.lock().unwrap();
    let server = TestServer::start();
    let before = resident_kib();
    let many = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2_000);
    let post =
        "POST /alerts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}".repeat(1_500);
    let mut greedy: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for (number, connection) in greedy.iter_mut().enumerate() {
        connection.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
        // The kernel may accept only a part of the bytes.
        let _ = connection.write(if number % 2 == 0 { many.as_bytes() } else { post.as_bytes() });
    }
    assert_eq!(server.get("/health/ready").status, 200);
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 30 * 1024, "memory grew by {grown} KiB for waiting requests");
}

#[test]
fn unread_large_collections_cost_a_bounded_amount_of_memory() {
    let _alone = ALONE.lock().unwrap();
    let server = TestServer::start();
    let large = "x".repeat(4_000);
    for _ in 0..1_000 {
        server.raise(&large);
    }
    let before = resident_kib();
    // Without a bound, the answers would occupy 120 times 2 MB.
    let readers = slow_readers(&server, "/alerts?limit=1000", 120);
    let mut answered = 0;
    for mut reader in readers.iter().map(|reader| reader.try_clone().unwrap()) {
        let mut status = [0; 12];
        reader.read_exact(&mut status).unwrap();
        match &status {
            b"HTTP/1.1 200" => answered += 1,
            b"HTTP/1.1 503" => {}
            other => panic!("{}", String::from_utf8_lossy(other)),
        }
    }
    let grown = resident_kib().saturating_sub(before);
    assert!(answered >= 20, "only {answered} requests were answered with 200");
    assert!(grown < 130 * 1024, "memory grew by {grown} KiB for unread answers");
    drop(readers);
    assert_eq!(server.get("/alerts").status, 200);
}

#[test]
fn unread_results_of_actions_cost_a_bounded_amount_of_memory() {
    let _alone = ALONE.lock().unwrap();
    let server = TestServer::start();
    let labels: serde_json::Map<_, _> =
        (0..30).map(|n| (format!("l{n}"), "\u{1F525}".repeat(250).into())).collect();
    let body = json!({ "message": "large", "location": "here", "labels": labels });
    let alert = server.post("/alerts", body.to_string()).json();
    let action = json!({ "type": "acknowledge", "id": alert["id"], "by": "Anna" }).to_string();
    let before = resident_kib();
    // Each result has about 30 KB. Without a bound, all results would occupy 100 times 3 MB.
    let mut operators: Vec<_> = (0..100).map(|_| server.raw_socket()).collect();
    for operator in &mut operators {
        for _ in 0..100 {
            operator.send_frame(0x81, action.as_bytes());
        }
    }
    let mut neighbour = server.socket();
    neighbour.send(&action);
    assert_eq!(neighbour.next_json()["outcome"], "unchanged", "other clients are not delayed");
    // When this request is answered, the server has read as many actions as it reads from clients
    // that do not read results.
    assert_eq!(server.get("/health/ready").status, 200);
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 60 * 1024, "memory grew by {grown} KiB for unread results");
    assert_eq!(operators[0].next_json()["type"], "result");
}

#[test]
fn all_readers_of_the_documentation_share_one_copy() {
    let _alone = ALONE.lock().unwrap();
    let server = TestServer::start();
    let whole = server.get("/docs/swagger-ui-bundle.js").body;
    assert!(whole.len() > 1024 * 1024);
    let before = resident_kib();
    let mut readers = slow_readers(&server, "/docs/swagger-ui-bundle.js", 200);
    for reader in &mut readers {
        let mut status = [0; 12];
        reader.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
    }
    let grown = resident_kib().saturating_sub(before);
    assert!(
        grown < 40 * 1024,
        "memory grew by {grown} KiB for 200 readers of {} bytes",
        whole.len()
    );
    let mut rest = Vec::new();
    let reader = &mut readers[0];
    reader.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    // The connection stays open, so reading ends with a timeout.
    let _ = reader.read_to_end(&mut rest);
    assert!(rest.ends_with(&whole), "a slow reader receives the complete file");
}

#[test]
fn thousands_of_disconnected_clients_leave_no_open_files() {
    let _alone = ALONE.lock().unwrap();
    let server = TestServer::start();
    let mut neighbour = server.socket();
    let before = open_files();
    for round in 0..50 {
        let sockets: Vec<_> = (0..100).map(|_| server.raw_socket()).collect();
        if round % 10 == 0 {
            let alert = server.raise("in the churn");
            assert_eq!(neighbour.next_json(), alert);
        }
        drop(sockets);
    }
    // The server notices the last disconnects with a delay.
    eventually(|| match open_files() {
        left if left > before + 10 => Err(format!("{before} files were open before, {left} after")),
        _ => Ok(()),
    });
    let alert = server.raise("after the churn");
    assert_eq!(neighbour.next_json(), alert);
}
