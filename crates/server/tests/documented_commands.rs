//! Runs the shell commands of README.md and docs/, in the order of each page, against the program.
//!
//! The first line of a block determines how the test runs the block: `sh` in the foreground, `sh
//! start` with its last line as the new server, `sh watch` in the background, `sh by-hand` not at
//! all.
#![cfg(unix)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of this is test code, and the processes are seen from outside, in real time"
)]

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// First part of each script. `northgate` runs the program of this build. `curl` fails on an error
/// status, and reads an open stream (`-N`) for `PATIENCE` seconds only.
const PRELUDE: &str = r#"
set -euo pipefail
northgate() { command "$NORTHGATE" "$@"; }
curl() {
    local status=0
    command curl --fail-with-body --silent --show-error --max-time "${PATIENCE:-2}" "$@" || status=$?
    if ((status == 28)) && [[ $1 == -*N* ]]; then return 0; fi
    return "$status"
}
stop_server() {
    kill "$server"
    wait "$server" || { cat server.log >&2; return 1; }
}
wait_for_server() {
    for _ in {1..100}; do
        kill -0 "$server" || break
        if command curl --silent --output health "http://127.0.0.1:$PORT/health/live"; then return; fi
        sleep 0.1
    done
    cat server.log >&2
    return 1
}
"#;

/// Last part of each script.
const END: &str = r"
stop_server
wait
";

struct Block<'a> {
    kind: &'a str,
    commands: &'a str,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let fences = page.split("\n```").skip(1).step_by(2);
    let blocks = fences.filter_map(|fence| fence.split_once('\n'));
    let shell = blocks.filter(|(info, _)| info.split(' ').next() == Some("sh"));
    shell
        .map(|(info, commands)| Block { kind: info.strip_prefix("sh").unwrap().trim(), commands })
        .collect()
}

fn script(blocks: &[Block<'_>]) -> String {
    let mut script = PRELUDE.to_owned();
    let start = |script: &mut String, line: &str| {
        _ = writeln!(script, "\"$NORTHGATE\" {line} >>server.out 2>>server.log &\nserver=$!");
        script.push_str("wait_for_server\n");
    };
    start(&mut script, "");
    for Block { kind, commands } in blocks {
        match *kind {
            "" => script.push_str(commands),
            "start" => {
                let (before, server) = commands.rsplit_once('\n').unwrap_or(("", commands));
                _ = writeln!(script, "\nstop_server\n{before}");
                start(
                    &mut script,
                    server.strip_prefix("northgate").expect("a start of the server"),
                );
            }
            "watch" => _ = writeln!(script, "(PATIENCE=4\n{commands}\n) >watched &"),
            "by-hand" => {}
            other => panic!("`sh {other}` is not a kind of block"),
        }
        script.push('\n');
    }
    script.push_str(END);
    script
}

/// Runs the blocks of a page, at least `least`, in an empty folder. Returns the output of the block
/// with the kind `watch`.
fn run(page: &str, least: usize) -> String {
    let text = std::fs::read_to_string(Path::new("../..").join(page)).unwrap();
    let blocks = blocks(&text);
    let run = blocks.iter().filter(|block| block.kind != "by-hand").count();
    assert!(run >= least, "{page} has only {run} blocks to run");
    let folder = tempfile::tempdir().unwrap();
    let port = northgate_testkit::free_address().port().to_string();
    let script = script(&blocks).replace("127.0.0.1:8000", &format!("127.0.0.1:{port}"));
    let done = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("NORTHGATE", env!("CARGO_BIN_EXE_northgate"))
        .env("NORTHGATE__SERVER__PORT", &port)
        .env("PORT", &port)
        .output()
        .expect("bash runs");
    assert!(
        done.status.success(),
        "the commands of {page} fail: {}\n{}\n{script}",
        done.status,
        String::from_utf8_lossy(&done.stderr)
    );
    std::fs::read_to_string(folder.path().join("watched")).unwrap_or_default()
}

#[test]
fn the_readme_raises_an_alert_that_its_watcher_shows() {
    let watched = run("README.md", 3);
    let shown: Vec<Vec<&str>> = watched.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(shown.len(), 2, "{watched}");
    assert!(matches!(*shown[0], [_, "error", "open", "db-1", "Disk is 91 % full", ""]));
    assert!(matches!(*shown[1], [_, "error", "acknowledged", "db-1", "Disk is 91 % full", "Anna"]));
}

#[test]
fn commands_of_the_api_page_succeed() {
    run("docs/API.md", 5);
}

#[test]
fn commands_of_the_operations_page_succeed() {
    run("docs/OPERATIONS.md", 4);
}

#[test]
fn commands_of_the_protocol_page_succeed() {
    run("docs/PROTOCOL.md", 1);
}
