//! File modes: only the user of the server process can read the data.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Mode of the folders that are created for the data.
pub(super) const FOLDER_MODE: u32 = 0o700;
/// Mode of the files that are created for the data. SQLite creates its additional files with the
/// mode of the database.
pub(crate) const FILE_MODE: u32 = 0o600;

const GROUP_AND_OTHERS: u32 = 0o077;

/// Creates an empty file that only its owner can read. An existing file is not changed. If SQLite
/// created the database, its mode would let everybody read the data.
pub(crate) fn create_private(file: &Path) -> io::Result<()> {
    match File::options().write(true).create_new(true).mode(FILE_MODE).open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Logs one warning if group or others have permissions on the folder or on one of its `files`. The
/// modes are the operator's choice, so this function does not change them.
pub(super) fn warn_if_shared(folder: &Path, files: [&str; 2]) {
    let paths = [folder.to_owned()].into_iter().chain(files.map(|file| folder.join(file)));
    let mode = |path: &Path| path.metadata().map_or(0, |found| found.mode() & 0o777);
    let Some(shared) = paths.into_iter().find(|path| mode(path) & GROUP_AND_OTHERS != 0) else {
        return;
    };
    tracing::warn!(
        path = %shared.display(),
        mode = format_args!("{:04o}", mode(&shared)),
        "group or others have access to the data; to remove this access, run: chmod -R go= {}",
        shell_word(folder)
    );
}

/// Returns a path as one word of a shell command, quoted if necessary.
fn shell_word(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    if path.starts_with('-') {
        return shell_word(&Path::new(".").join(path));
    }
    if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_as_one_shell_word() {
        for (path, word) in [
            ("/srv/data", "/srv/data"),
            ("/srv/my data", "'/srv/my data'"),
            ("it's", r"'it'\''s'"),
            ("-R", "./-R"),
        ] {
            assert_eq!(shell_word(Path::new(path)), word);
        }
    }
}
