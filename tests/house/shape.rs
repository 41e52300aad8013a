//! Limits and conventions for source files, names, and manifests.

use crate::assert_none;
use crate::source::{crates, entries, lines_before_tests, rust_files, text};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Upper bound of lines per file, without the tests at the end of the file.
const MOST_LINES: usize = 450;

/// All entries of the top level, except dot-files and ignored files.
const TOP_LEVEL: [&str; 7] =
    ["Cargo.toml", "Cargo.lock", "README.md", "rustfmt.toml", "crates", "tests", "docs"];

/// Words that do not describe the content of a module.
const EMPTY_WORDS: [&str; 8] =
    ["util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"];

/// Upper bound of characters per test name.
const MOST_CHARACTERS: usize = 70;

/// Type names that fit nearly every type. At most one type may have each of these names.
const BROAD_NAMES: [&str; 4] = ["Answer", "Outcome", "Seen", "Said"];

/// The crates whose public items must be documented, because other crates depend on these crates.
const DOCUMENTED: [&str; 4] = ["domain", "schemas", "storage", "hub"];

/// The Rust files of all crates, except files of tests.
fn sources() -> impl Iterator<Item = PathBuf> {
    let files = crates().into_iter().flat_map(|folder| rust_files(folder.join("src")));
    files.filter(|file| file.file_stem() != Some(OsStr::new("tests")))
}

#[test]
fn no_source_file_exceeds_the_line_limit() {
    let mut findings = Vec::new();
    for file in sources() {
        let lines = lines_before_tests(&text(&file));
        if lines > MOST_LINES {
            let file = file.display();
            findings.push(format!(
                "{file} has {lines} lines before its tests: at most {MOST_LINES} are allowed"
            ));
        }
    }
    assert_none(&findings);
}

#[test]
fn only_lines_before_the_final_test_module_are_counted() {
    let code = "//! A.\nfn a() {\n}\n";
    let tests = "#[cfg(test)]\nmod tests {\n    fn b() {\n    }\n}\n";
    assert_eq!(lines_before_tests(code), 3);
    assert_eq!(lines_before_tests(&format!("{code}{tests}")), 3);
    assert_eq!(lines_before_tests(&format!("{code}{tests}{code}")), 11);
    assert_eq!(lines_before_tests(&format!("{code}#[cfg(test)]\nuse a;\n{code}")), 8);
}

#[test]
fn every_source_file_starts_with_a_module_comment() {
    let lacks_comment = |file: &PathBuf| !text(file).starts_with("//! ");
    let without_comment = sources().filter(lacks_comment);
    let finding = |file: PathBuf| format!("{} does not start with a //! line", file.display());
    assert_none(&without_comment.map(finding).collect::<Vec<_>>());
}

#[test]
fn no_file_or_module_has_a_meaningless_name() {
    let mut findings = Vec::new();
    for file in ["crates", "tests"].into_iter().flat_map(rust_files) {
        let shown = file.display();
        if file.file_name() == Some(OsStr::new("mod.rs")) {
            findings.push(format!("{shown}: use foo.rs beside foo/ instead of foo/mod.rs"));
        }
        let parts = file.with_extension("");
        if parts.iter().filter_map(OsStr::to_str).any(is_empty_name) {
            findings.push(format!("{shown} has a meaningless word in its path"));
        }
        let text = text(&file);
        let named = text.lines().filter_map(module_name).filter(|name| is_empty_name(name));
        findings.extend(named.map(|name| format!("{shown}: mod {name} has a meaningless name")));
    }
    assert_none(&findings);
}

fn is_empty_name(name: &str) -> bool {
    name.split(['_', '-']).any(|word| EMPTY_WORDS.contains(&word))
}

/// The name of the module that a line declares or opens.
fn module_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let (before, name) = line.split_once("mod ")?;
    let is_declaration = before.is_empty() || (before.starts_with("pub") && before.ends_with(' '));
    is_declaration.then(|| name.trim_end_matches([' ', ';', '{']))
}

#[test]
fn no_test_name_exceeds_the_length_limit() {
    let mut findings = Vec::new();
    for file in ["crates", "tests"].into_iter().flat_map(rust_files) {
        let text = text(&file);
        let long = test_names(&text).filter(|name| name.len() > MOST_CHARACTERS);
        let file = file.display();
        findings.extend(
            long.map(|name| format!("{file}: {name} has more than {MOST_CHARACTERS} characters")),
        );
    }
    assert_none(&findings);
}

/// The names of functions with a `test` attribute, and lines that consist of one name, as in a list
/// of laws.
fn test_names(text: &str) -> impl Iterator<Item = &str> {
    let mut is_test = false;
    text.lines().map(str::trim).filter_map(move |line| {
        let path = line.strip_prefix("#[").and_then(|attribute| attribute.split(['(', ']']).next());
        is_test |= path.is_some_and(|path| path.rsplit("::").next() == Some("test"));
        let name = match line.split_once("fn ") {
            Some((_, function)) if is_test => function.split('(').next()?,
            _ => return line.chars().all(|c| c.is_alphanumeric() || c == '_').then_some(line),
        };
        is_test = false;
        Some(name)
    })
}

#[test]
fn test_names_are_found_by_attribute_and_law_names_by_their_own_line() {
    let text = "#[cfg(test)]\nfn no() {}\n#[tokio::test(\n    x = 2\n)]\n#[ignore]\nasync fn a() {}\n\
                fn no() {}\n    #[test]\n    fn b(n: u8) {}\nlaws! {\n    c\n}";
    assert_eq!(test_names(text).collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn a_broad_type_name_is_used_at_most_once() {
    let mut files = BTreeMap::<_, Vec<_>>::new();
    for file in ["crates", "tests"].into_iter().flat_map(rust_files) {
        for name in text(&file).lines().filter_map(broad_type_name) {
            files.entry(name).or_default().push(file.display().to_string());
        }
    }
    let shared = files.into_iter().filter(|(_, files)| files.len() > 1);
    let finding = shared
        .map(|(name, files)| format!("more than one type is named {name}: {}", files.join(", ")));
    assert_none(&finding.collect::<Vec<_>>());
}

/// The broad name of the type that a line declares.
fn broad_type_name(line: &str) -> Option<&'static str> {
    let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.find(|word| ["struct", "enum", "trait", "type"].contains(word))?;
    let name = words.next()?;
    BROAD_NAMES.into_iter().find(|broad| *broad == name)
}

#[test]
fn the_top_level_contains_only_the_listed_entries() {
    let ignored = text(".gitignore");
    let ignored: Vec<_> = ignored.lines().map(|line| line.trim_matches('/')).collect();
    let is_known =
        |name: &str| name.starts_with('.') || TOP_LEVEL.contains(&name) || ignored.contains(&name);
    let surplus: Vec<_> = entries("")
        .into_iter()
        .filter_map(|entry| entry.to_str().map(str::to_owned))
        .filter(|name| !is_known(name))
        .map(|name| {
            format!("{name} is not in the list of top-level entries in tests/house/shape.rs")
        })
        .collect();
    assert_none(&surplus);
}

#[test]
fn every_workspace_dependency_has_a_comment() {
    let manifest = text("Cargo.toml");
    let (_, section) = manifest
        .split_once("\n[workspace.dependencies]\n")
        .expect("Cargo.toml has a section [workspace.dependencies]");
    let (section, _) = section.split_once("\n[").unwrap_or((section, ""));
    let is_entry = |line: &str| line.starts_with(|c: char| c.is_ascii_alphanumeric());
    let mut before = "";
    let mut findings = Vec::new();
    for line in section.lines() {
        if is_entry(line) && !line.contains("path = ") && !before.starts_with("# ") {
            findings
                .push(format!("Cargo.toml: a comment with the purpose is missing above: {line}"));
        }
        before = line;
    }
    assert_none(&findings);
}

#[test]
fn every_crate_inherits_the_workspace_lints() {
    let manifests = crates().into_iter().map(|folder| folder.join("Cargo.toml"));
    let is_lax = |manifest: &PathBuf| !text(manifest).contains("\n[lints]\nworkspace = true\n");
    let finding =
        |manifest: PathBuf| format!("{} lacks `[lints] workspace = true`", manifest.display());
    assert_none(&manifests.filter(is_lax).map(finding).collect::<Vec<_>>());
}

#[test]
fn base_crates_enable_the_missing_docs_lint() {
    let mut findings = Vec::new();
    for name in DOCUMENTED {
        let library = Path::new("crates").join(name).join("src/lib.rs");
        if !text(&library).lines().any(|line| line == "#![warn(missing_docs)]") {
            findings.push(format!("{} lacks `#![warn(missing_docs)]`", library.display()));
        }
    }
    assert_none(&findings);
}
