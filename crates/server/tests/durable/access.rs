//! Access to the data: only the server's user can read it; otherwise the server warns at start.

use crate::with_data;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Starts and stops a server with `data`, and returns its warnings about access.
fn warnings(data: &Path) -> Vec<String> {
    let ended = with_data(data).serve().stop().assert_code(0);
    let mut lines = ended.stderr;
    lines.retain(|line| line.contains("group or others have access to the data"));
    lines
}

#[test]
fn data_that_others_can_read_is_reported_once_with_a_command_to_fix_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("my data");
    assert_eq!(warnings(&data), [""; 0], "new data is private");

    for (path, mode) in [(data.clone(), 0o750), (data.join("northgate.db"), 0o604)] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let warned = warnings(&data);
        assert_eq!(warned.len(), 1, "{warned:?}");
        assert!(warned[0].contains(path.to_str().unwrap()), "{warned:?}");
        let (_, command) = warned[0].split_once("run: ").unwrap();
        let command = &command[..=command.rfind('\'').unwrap()];
        assert_eq!(command, format!("chmod -R go= '{}'", data.display()));
        assert!(Command::new("sh").args(["-c", command]).status().unwrap().success());
        assert_eq!(warnings(&data), [""; 0], "the command fixes the access");
    }
}
