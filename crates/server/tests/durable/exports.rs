//! `northgate export`, `import` and `check --new-epoch`, beside running servers.

use crate::{ALERT, CHAT, northgate, with_data};
use northgate_testkit::ProcessOutput;
use serde_json::Value;
use std::path::Path;

fn run(command: &[&str], folder: &Path) -> ProcessOutput {
    let (name, rest) = command.split_first().unwrap();
    let data = ["--data", folder.to_str().unwrap()];
    northgate(&[&[*name], data.as_slice(), rest].concat()).run()
}

fn done(command: &[&str], folder: &Path) -> Vec<String> {
    let ended = run(command, folder);
    assert_eq!((ended.code, ended.stderr.len()), (Some(0), 0), "{ended:?}");
    ended.stdout
}

fn refused(command: &[&str], folder: &Path) -> String {
    let mut ended = run(command, folder);
    assert_eq!((ended.code, ended.stderr.len()), (Some(1), 1), "{ended:?}");
    ended.stderr.remove(0)
}

/// Returns the alerts and messages of a server with this data, without their positions.
fn shown(folder: &Path) -> Vec<Value> {
    let server = with_data(folder).serve();
    let mut items = Vec::new();
    for (path, member) in [("/alerts", "alerts"), ("/message/", "chatMessages")] {
        items.extend(server.get(path).json()[member].as_array().unwrap().clone());
    }
    for item in &mut items {
        item.as_object_mut().unwrap().remove("position").unwrap();
    }
    items
}

#[test]
fn an_export_beside_a_server_can_be_imported_and_exported_again() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = with_data(folder.path()).serve();
    let alert = server.post("/alerts", ALERT).json();
    server.post("/message/", CHAT);
    let lines = done(&["export"], folder.path());
    assert_eq!(lines.len(), 6, "a head, two events, their two states, and an end: {lines:?}");
    assert!(lines.iter().all(|line| serde_json::from_str::<Value>(line).unwrap().is_object()));
    drop(server.stop());
    assert_eq!(done(&["export"], folder.path()), lines, "stopped or not");

    let file = copy.path().join("lines");
    std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    let data = copy.path().join("data");
    let reported = done(&["import", file.to_str().unwrap()], &data);
    assert_eq!(reported.len(), 1);
    assert!(
        reported[0]
            .starts_with("imported 2 events, 1 alerts, 1 messages and 0 idempotency keys into ")
    );
    done(&["check"], &data);
    assert_eq!(done(&["export"], &data), lines);
    assert_eq!(shown(&data), shown(folder.path()));
    let again = refused(&["import", file.to_str().unwrap()], &data);
    assert!(again.contains("there is already data in "), "{again}");

    let since = alert["timestamp"].as_str().unwrap();
    assert_eq!(done(&["export", "--until", since], &data).len(), 2, "a head and an end");
    assert_eq!(done(&["export", "--since", since], &data).len(), 6);
    let wrong = run(&["export", "--since", "yesterday"], &data);
    assert_eq!((wrong.code, wrong.stderr.len()), (Some(2), 1), "{wrong:?}");
}

#[test]
fn an_incomplete_export_is_refused_with_its_line_and_imports_nothing() {
    let folder = tempfile::tempdir().unwrap();
    drop(with_data(folder.path()).serve().stop());
    let lines = done(&["export"], folder.path());
    let data = folder.path().join("data");
    let half = northgate(&["import", "--data", data.to_str().unwrap(), "half"]);
    let ended = half.file("half", &format!("{}\n", lines[0])).run().assert_code(1);
    let line = "northgate: line 2: the end line is missing: the export is incomplete; nothing was \
                imported";
    assert_eq!(ended.stderr, [line]);
    let nothing = refused(&["export"], &data);
    assert!(nothing.starts_with("northgate: "), "{nothing}");
}

#[test]
fn copied_files_get_a_new_epoch_but_data_in_use_does_not() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = with_data(folder.path()).serve();
    let position = server.post("/alerts", ALERT).json()["position"].clone();
    let in_use = refused(&["check", "--new-epoch"], folder.path());
    assert!(in_use.contains("in use by another process"), "{in_use}");
    drop(server.stop());
    std::fs::copy(folder.path().join("northgate.db"), copy.path().join("northgate.db")).unwrap();
    assert_eq!(done(&["check", "--new-epoch"], copy.path()).len(), 1);
    let old = format!("/alerts?after={}", position.as_str().unwrap());
    for (folder, status) in [(folder.path(), 200), (copy.path(), 410)] {
        assert_eq!(with_data(folder).serve().get(&old).status, status);
    }
}

#[test]
fn a_file_size_limit_ends_a_maintenance_command_with_code_1_and_one_line() {
    let (folder, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = with_data(folder.path()).serve();
    let alert = serde_json::json!({"message": "x".repeat(4_000), "location": "North Gate"});
    for _ in 0..20 {
        assert_eq!(server.post("/alerts", alert.to_string()).status, 200);
    }
    let lines = done(&["export"], folder.path()).join("\n");
    drop(server.stop());
    let (exported, copy, imported) =
        (copies.path().join("lines"), copies.path().join("copy"), copies.path().join("data"));
    std::fs::write(&exported, lines).unwrap();
    let data = folder.path().to_str().unwrap();
    // The unit is 512 bytes or 1 KiB, depending on the shell.
    let limit = "ulimit -f 32";
    let to_file = format!("{limit} && exec > '{}'", copies.path().join("out").display());
    for (before, flags) in [
        (limit, ["backup", "--data", data, copy.to_str().unwrap()].as_slice()),
        (&to_file, &["export", "--data", data]),
        (limit, &["import", "--data", imported.to_str().unwrap(), exported.to_str().unwrap()]),
    ] {
        let ended = northgate(flags).after(before).run();
        assert_eq!((ended.code, ended.stderr.len()), (Some(1), 1), "{flags:?}: {ended:?}");
        assert!(ended.stderr[0].starts_with("northgate: cannot "), "{flags:?}: {ended:?}");
    }
    assert!(!copy.exists(), "no incomplete copy has the name of the backup");
}
