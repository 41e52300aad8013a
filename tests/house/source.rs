//! Access to the files of the repository.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The path of the repository's top level.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is not at the top level")
}

/// Reads a file by its path from the top level.
pub fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The entries of a folder as paths from the top level, sorted.
pub fn entries(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let path = root().join(folder);
    let listed = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let from_root = |path: PathBuf| path.strip_prefix(root()).map(Path::to_owned);
    let mut entries: Vec<_> =
        listed.map(|entry| from_root(entry.unwrap().path()).unwrap()).collect();
    entries.sort();
    entries
}

/// The folders below `crates` that contain a `Cargo.toml`.
pub fn crates() -> Vec<PathBuf> {
    let has_manifest = |folder: &PathBuf| root().join(folder).join("Cargo.toml").is_file();
    entries("crates").into_iter().filter(has_manifest).collect()
}

/// Every Rust file below a folder, except in folders named `target`.
pub fn rust_files(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in entries(folder) {
        if root().join(&entry).is_dir() {
            if entry.file_name() != Some(OsStr::new("target")) {
                files.extend(rust_files(entry));
            }
        } else if entry.extension() == Some(OsStr::new("rs")) {
            files.push(entry);
        }
    }
    files
}

/// The number of lines before the `mod tests` at the end of `text`. Without such a module, the
/// number of all lines.
pub fn lines_before_tests(text: &str) -> usize {
    let all = text.lines().count();
    let Some(start) = text.rfind("\n#[cfg(test)]\n") else { return all };
    let (code, tests) = text.split_at(start + 1);
    let mut items = tests.lines().filter(|line| !line.starts_with("#["));
    let is_module = items.next() == Some("mod tests {");
    let ends_file = items.position(|line| line == "}").is_some() && items.next().is_none();
    if is_module && ends_file { code.lines().count() } else { all }
}
