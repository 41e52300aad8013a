//! What clients can cost the server in memory and files, measured on this whole process: so these
//! tests have one of their own, and it to themselves.

use northgate_tests::TestServer;
use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Held by the test that runs.
static ALONE: Mutex<()> = Mutex::new(());

/// The resident memory of this process, in KiB: the server runs in it.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_header_of_a_gigabyte_is_closed_with_1009_and_costs_no_memory() {
    let _alone = ALONE.lock().unwrap();
    let server = TestServer::start();
    let mut neighbour = server.socket();
    let mut socket = server.raw_socket();
    let before = resident_kib();
    socket.send(&[&[0x82, 0xFF][..], &(1_u64 << 30).to_be_bytes(), &[0; 4]].concat());
    let megabyte = vec![0; 1024 * 1024];
    for _ in 0..50 {
        // Once the server has had enough of it, this fails at once.
        socket.send(&megabyte);
    }
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 30 * 1024, "{grown} KiB for a message that is not taken");
    let alert = server.raise("still here");
    assert_eq!(neighbour.next_json(), alert);
}

#[test]
fn requests_without_end_from_a_client_that_reads_nothing_cost_no_memory() {
    let _alone = ALONE.lock().unwrap();
    let server = TestServer::start();
    for request in ["OPTIONS / HTTP/1.1", "GET /redoc HTTP/1.1", "GET /alerts/history HTTP/1.1"] {
        let mut greedy = server.connect();
        greedy.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        let before = resident_kib();
        let many = format!("{request}\r\nHost: localhost\r\n\r\n").repeat(1_000);
        // Ends when the server reads no more, or with more than it could hold.
        let taken = (0..1_000).take_while(|_| greedy.write_all(many.as_bytes()).is_ok()).count();
        assert!(taken < 1_000, "{request}: the server reads without end");
        let grown = resident_kib().saturating_sub(before);
        assert!(grown < 30 * 1024, "{request}: {grown} KiB for {taken} thousand requests");
    }
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn thousands_of_connects_and_disconnects_leave_nothing_behind() {
    let _alone = ALONE.lock().unwrap();
    let server = TestServer::start();
    let mut neighbour = server.socket();
    let open_files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open_files();
    for round in 0..50 {
        let sockets: Vec<_> = (0..100).map(|_| server.raw_socket()).collect();
        if round % 10 == 0 {
            let alert = server.raise("in the churn");
            assert_eq!(neighbour.next_json(), alert);
        }
        drop(sockets);
    }
    // The server notices the last disconnects a moment later.
    let patience = Instant::now() + Duration::from_secs(20);
    while open_files() > before + 10 {
        assert!(Instant::now() < patience, "{before} open files became {}", open_files());
        std::thread::sleep(Duration::from_millis(20));
    }
    let alert = server.raise("after the churn");
    assert_eq!(neighbour.next_json(), alert);
}
