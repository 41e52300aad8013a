//! A server on a disk of 12 MB: it uses most of the disk, and recovers when there is free space.

use crate::northgate;
use northgate_testkit::{JSON, Process, eventually};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// A server whose data is on a file system of 12 MB that only its process sees.
fn on_a_small_disk(folder: &Path) -> Process {
    let folder = folder.to_str().unwrap();
    let mount = format!("mount -t tmpfs -o size=12m none '{folder}'");
    northgate(&["--data", &format!("{folder}/data")]).with_mount(&mount).serve()
}

/// Returns the path of `folder` in the mount namespace of the server.
fn seen_by(server: &Process, folder: &Path) -> PathBuf {
    let root = PathBuf::from(format!("/proc/{}/root", server.pid()));
    root.join(folder.strip_prefix("/").unwrap())
}

fn raise(server: &Process, number: usize) -> u16 {
    let headers = format!("{JSON}Idempotency-Key: alert-{number}\r\n");
    let body = json!({ "message": format!("{number} {}", "x ".repeat(2_000)), "location": "Gate" });
    server.request("POST", "/alerts", &headers, body.to_string()).status
}

/// Raises alerts from `number` on until one is refused, and returns its number.
fn raise_until_refused(server: &Process, mut number: usize) -> usize {
    while raise(server, number) == 200 {
        number += 1;
    }
    assert_eq!(server.get("/health/ready").status, 503);
    number
}

#[test]
fn a_full_disk_accepts_more_alerts_as_soon_as_it_has_free_space() {
    let folder = tempfile::tempdir().unwrap();
    let server = on_a_small_disk(folder.path());
    let disk = seen_by(&server, folder.path());
    fs::write(disk.join("ballast"), vec![0; 4 * 1024 * 1024]).unwrap();
    let fitted = raise_until_refused(&server, 0);
    // 8 MB are free. Each alert needs about 8 KB, and its event and its search words need about 8
    // KB more.
    assert!(fitted > 250, "{fitted} alerts fit");
    assert_eq!(server.get("/alerts").status, 200);

    fs::remove_file(disk.join("ballast")).unwrap();
    eventually(|| server.get("/health/ready").status == 200);
    let more = raise_until_refused(&server, fitted);
    assert!(more - fitted > 100, "{} more fit into 4 MB", more - fitted);
    let shown = server.get("/alerts/summary").json();
    assert_eq!(shown["total"], more);
}

#[test]
fn a_disk_that_is_full_before_the_first_alert_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let server = on_a_small_disk(folder.path());
    assert_eq!(server.get("/health/ready").status, 200);
    let disk = seen_by(&server, folder.path());
    // This write is expected to fail, because it fills the disk.
    let _ = fs::write(disk.join("ballast"), vec![0; 16 * 1024 * 1024]);
    eventually(|| {
        let answer = server.get("/health/ready");
        answer.status == 503 && answer.json()["detail"].to_string().contains("full")
    });
    assert_eq!(raise(&server, 0), 503);
    fs::remove_file(disk.join("ballast")).unwrap();
    eventually(|| server.get("/health/ready").status == 200);
    assert_eq!(raise(&server, 0), 200);
}
