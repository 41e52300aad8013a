//! The shape of files and manifests.

use crate::assert_none;
use crate::source::{crates, entries, lines_before_tests, rust_files, text};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The most lines of a file, its tests not counted.
const MOST_LINES: usize = 450;

/// What the top level shows; everything else there is a dot-file.
const TOP_LEVEL: [&str; 7] =
    ["Cargo.toml", "Cargo.lock", "README.md", "rustfmt.toml", "crates", "tests", "docs"];

/// Words that say nothing about what is behind them.
const EMPTY_WORDS: [&str; 8] =
    ["util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"];

/// The most characters of a test's name.
const MOST_CHARACTERS: usize = 70;

/// Words that fit nearly every type: each may name one.
const BROAD_NAMES: [&str; 4] = ["Answer", "Outcome", "Seen", "Said"];

/// The crates that others build on.
const DOCUMENTED: [&str; 4] = ["domain", "schemas", "storage", "hub"];

/// The Rust files of all crates that are no tests.
fn sources() -> impl Iterator<Item = PathBuf> {
    let files = crates().into_iter().flat_map(|folder| rust_files(folder.join("src")));
    files.filter(|file| file.file_stem() != Some(OsStr::new("tests")))
}

#[test]
fn no_file_is_long() {
    let mut findings = Vec::new();
    for file in sources() {
        let lines = lines_before_tests(&text(&file));
        if lines > MOST_LINES {
            let file = file.display();
            findings.push(format!("{file} has {lines} lines before its tests, over {MOST_LINES}"));
        }
    }
    assert_none(&findings);
}

#[test]
fn the_lines_of_a_file_are_counted_up_to_the_tests_that_end_it() {
    let code = "//! A.\nfn a() {\n}\n";
    let tests = "#[cfg(test)]\nmod tests {\n    fn b() {\n    }\n}\n";
    assert_eq!(lines_before_tests(code), 3);
    assert_eq!(lines_before_tests(&format!("{code}{tests}")), 3);
    assert_eq!(lines_before_tests(&format!("{code}{tests}{code}")), 11);
    assert_eq!(lines_before_tests(&format!("{code}#[cfg(test)]\nuse a;\n{code}")), 8);
}

#[test]
fn every_file_opens_with_a_sentence_of_purpose() {
    let says_nothing = |file: &PathBuf| !text(file).starts_with("//! ");
    let silent = sources().filter(says_nothing);
    let told = |file: PathBuf| format!("{} does not start with a //! line", file.display());
    assert_none(&silent.map(told).collect::<Vec<_>>());
}

#[test]
fn no_file_or_module_has_a_name_that_says_nothing() {
    let mut findings = Vec::new();
    for file in ["crates", "tests"].into_iter().flat_map(rust_files) {
        let shown = file.display();
        if file.file_name() == Some(OsStr::new("mod.rs")) {
            findings.push(format!("{shown}: foo.rs beside foo/ takes the place of foo/mod.rs"));
        }
        let parts = file.with_extension("");
        if parts.iter().filter_map(OsStr::to_str).any(is_empty_name) {
            findings.push(format!("{shown} has a name that says nothing"));
        }
        let text = text(&file);
        let named = text.lines().filter_map(module_name).filter(|name| is_empty_name(name));
        findings.extend(named.map(|name| format!("{shown}: mod {name} says nothing")));
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
fn names_of_tests_are_not_long() {
    let mut findings = Vec::new();
    for file in ["crates", "tests"].into_iter().flat_map(rust_files) {
        let text = text(&file);
        let long = test_names(&text).filter(|name| name.len() > MOST_CHARACTERS);
        let file = file.display();
        findings.extend(long.map(|name| format!("{file}: {name} has over {MOST_CHARACTERS}")));
    }
    assert_none(&findings);
}

/// The names of functions with a `test` attribute, and those that are alone on their lines, as in
/// a list of laws.
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
fn tests_are_known_by_their_attributes_and_laws_by_standing_alone() {
    let text = "#[cfg(test)]\nfn no() {}\n#[tokio::test(\n    x = 2\n)]\n#[ignore]\nasync fn a() {}\n\
                fn no() {}\n    #[test]\n    fn b(n: u8) {}\nlaws! {\n    c\n}";
    assert_eq!(test_names(text).collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn a_name_that_fits_every_type_is_the_name_of_one_at_most() {
    let mut places = BTreeMap::<_, Vec<_>>::new();
    for file in ["crates", "tests"].into_iter().flat_map(rust_files) {
        for name in text(&file).lines().filter_map(broad_type_name) {
            places.entry(name).or_default().push(file.display().to_string());
        }
    }
    let shared = places.into_iter().filter(|(_, places)| places.len() > 1);
    let told = shared.map(|(name, places)| format!("{name} is a type in {}", places.join(", ")));
    assert_none(&told.collect::<Vec<_>>());
}

/// The broad name of the type that a line declares.
fn broad_type_name(line: &str) -> Option<&'static str> {
    let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.find(|word| ["struct", "enum", "trait", "type"].contains(word))?;
    let name = words.next()?;
    BROAD_NAMES.into_iter().find(|broad| *broad == name)
}

#[test]
fn the_top_level_shows_only_what_belongs_there() {
    let ignored = text(".gitignore");
    let ignored: Vec<_> = ignored.lines().map(|line| line.trim_matches('/')).collect();
    let is_known =
        |name: &str| name.starts_with('.') || TOP_LEVEL.contains(&name) || ignored.contains(&name);
    let surplus: Vec<_> = entries("")
        .into_iter()
        .filter_map(|entry| entry.to_str().map(str::to_owned))
        .filter(|name| !is_known(name))
        .map(|name| format!("{name} does not belong to the top level"))
        .collect();
    assert_none(&surplus);
}

#[test]
fn every_dependency_of_the_workspace_says_what_it_is_for() {
    let manifest = text("Cargo.toml");
    let (_, section) = manifest.split_once("\n[workspace.dependencies]\n").expect("the section");
    let (section, _) = section.split_once("\n[").unwrap_or((section, ""));
    let is_entry = |line: &str| line.starts_with(|c: char| c.is_ascii_alphanumeric());
    let mut before = "";
    let mut findings = Vec::new();
    for line in section.lines() {
        if is_entry(line) && !line.contains("path = ") && !before.starts_with("# ") {
            findings.push(format!("no comment above: {line}"));
        }
        before = line;
    }
    assert_none(&findings);
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let manifests = crates().into_iter().map(|folder| folder.join("Cargo.toml"));
    let is_lax = |manifest: &PathBuf| !text(manifest).contains("\n[lints]\nworkspace = true\n");
    let told = |manifest: PathBuf| format!("{} has no [lints] workspace", manifest.display());
    assert_none(&manifests.filter(is_lax).map(told).collect::<Vec<_>>());
}

#[test]
fn crates_that_others_build_on_document_what_they_offer() {
    let mut findings = Vec::new();
    for name in DOCUMENTED {
        let library = Path::new("crates").join(name).join("src/lib.rs");
        if !text(&library).lines().any(|line| line == "#![warn(missing_docs)]") {
            findings.push(format!("{} does not warn of missing_docs", library.display()));
        }
    }
    assert_none(&findings);
}
