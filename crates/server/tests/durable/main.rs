//! The binary with `--data`: answered writes survive every end of the process.
#![cfg(unix)]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "all of this is test code, and the process is seen from outside, in real time"
)]

mod access;
mod backups;
mod checks;
mod exports;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod faulty_disks;
mod full_disks;
mod kills;
mod lives;
mod lost_files;
mod recording_client;
#[cfg(target_os = "linux")]
mod small_disks;

use fastrand::Rng;
use northgate_testkit::{ProcessBuilder, eventually};
use serde_json::{Value, json};
use std::path::Path;

fn northgate(flags: &[&str]) -> ProcessBuilder {
    ProcessBuilder::new(env!("CARGO_BIN_EXE_northgate"), flags)
}

fn with_data(folder: &Path) -> ProcessBuilder {
    northgate(&["--data", folder.to_str().unwrap()])
}

const ALERT: &str = r#"{"message":"Intruder detected","location":"North Gate"}"#;
const CHAT: &str = r#"{"sender":"Operator 1","message":"Seen"}"#;

#[test]
fn alerts_and_chat_are_unchanged_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("made/by/it");
    let before = with_data(&data).serve();
    let alert = before.post("/alerts", ALERT).json();
    let chat = before.post("/message/", CHAT).json();
    let ended = before.stop().assert_code(0);
    assert!(ended.has_logged("stored on disk"), "{ended:?}");
    assert!(!ended.has_logged("in memory"), "{ended:?}");

    let variable = northgate(&[]).variable("NORTHGATE__STORAGE__DATA", data.to_str().unwrap());
    let toml = format!("[storage]\ndata = '{}'\n", data.display());
    for setup in [variable, northgate(&[]).file("northgate.toml", &toml)] {
        let after = setup.serve();
        let history = after.get("/alerts/history").json();
        assert_eq!(history["alerts"], json!([alert]));
        assert_eq!(after.get("/message/").json()["chatMessages"], json!([chat]));
        assert_eq!(history["position"], chat["position"], "the log continues at the same position");
    }
}

#[test]
fn the_generator_is_off_with_data_unless_it_is_configured() {
    let alerts = |setup: ProcessBuilder, wanted: usize| {
        let program = setup.serve();
        let count = || {
            let history = program.get("/alerts/history").json();
            history["alerts"].as_array().unwrap().len()
        };
        if wanted == 0 {
            // The generator would have raised its first alert at start, before this alert.
            assert_eq!(program.post("/alerts", ALERT).status, 200);
            assert_eq!(count(), 1);
        } else {
            eventually(|| count() == wanted);
        }
    };
    let folder = || tempfile::tempdir().unwrap();
    alerts(with_data(folder().path()), 0);
    let toml = "[generator]\ninterval = '10s'\n";
    alerts(with_data(folder().path()).file("northgate.toml", toml), 1);
    alerts(with_data(folder().path()).variable("NORTHGATE__GENERATOR__INTERVAL", "10s"), 1);
    let scenario = with_data(folder().path()).variable("NORTHGATE__GENERATOR__SCENARIO", "quiet");
    alerts(scenario, 8);
    let folder = folder();
    let flags = ["--data", folder.path().to_str().unwrap(), "--generator-interval", "10s"];
    alerts(northgate(&flags), 1);
}

#[test]
fn unusable_data_ends_the_start_with_code_1_and_one_line_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (used, other, file) =
        (folder.path().join("used"), folder.path().join("other"), folder.path().join("file"));
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("northgate.db"), "something else").unwrap();
    std::fs::write(&file, "x").unwrap();
    let holder = with_data(&used).serve();
    for (data, reason) in [
        (&used, "is in use by another process"),
        (&other, "is not a Northgate database"),
        (&file, "cannot store data in"),
    ] {
        let flags = ["--data", data.to_str().unwrap(), "--port", "0", "--log-level", "error"];
        let ended = northgate(&flags).run();
        assert_eq!((ended.code, ended.stdout.len()), (Some(1), 0), "{ended:?}");
        assert_eq!(ended.stderr.len(), 1, "{ended:?}");
        for part in [reason, data.to_str().unwrap()] {
            assert!(ended.stderr[0].contains(part), "{part} is not in {ended:?}");
        }
    }
    assert_eq!(holder.post("/alerts", ALERT).status, 200);
    let empty = northgate(&["--data", ""]).run().assert_code(2);
    assert!(empty.stderr[0].contains("--data"), "{empty:?}");
}

/// Random numbers with the seed of `NORTHGATE_SEED`, so that a run can be repeated.
fn random() -> Rng {
    let seed = std::env::var("NORTHGATE_SEED").map_or(4, |seed| seed.parse().expect("a number"));
    println!("NORTHGATE_SEED={seed}");
    Rng::with_seed(seed)
}

/// Returns the string member `name` of `object`.
fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_else(|| panic!("no {name} in {object}"))
}
