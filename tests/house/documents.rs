//! Checks that the documents agree with the source: names of tests, close codes, and the README's
//! log.

use crate::assert_none;
use crate::source::{rust_files, text};
use std::collections::HashSet;

/// Lower bound of the tests that a document names. If a document names fewer, its format has
/// changed, and the check finds nothing.
const FEWEST: usize = 10;

/// The names of all functions of the workspace.
fn functions() -> HashSet<String> {
    let mut names = HashSet::new();
    for file in ["crates", "tests"].into_iter().flat_map(rust_files) {
        for line in text(file).lines() {
            let declared = line.trim_start().split_once("fn ").map(|(_, rest)| rest);
            let name = declared.and_then(|rest| rest.split(['(', '<']).next());
            names.extend(name.filter(|name| is_name(name)).map(str::to_owned));
        }
    }
    names
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
}

/// The texts between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The names in the last cell of every row, and the rows whose last cell contains no name. Only
/// tables whose last column has the heading "test" or "tests" are checked.
fn tests_in_tables(text: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut names, mut without) = (Vec::new(), Vec::new());
    let mut names_tests = None;
    for line in text.lines() {
        let Some(cells) = line.strip_prefix('|') else {
            names_tests = None;
            continue;
        };
        let last = cells.trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        match names_tests {
            None => names_tests = Some(matches!(last.trim(), "test" | "tests")),
            Some(true) if !last.trim().starts_with("---") => {
                let before = names.len();
                names.extend(quoted(last));
                if names.len() == before {
                    without.push(line);
                }
            }
            Some(_) => {}
        }
    }
    (names, without)
}

fn assert_exist(document: &str, names: &[&str]) {
    assert!(names.len() >= FEWEST, "{document} names only {} tests: {names:?}", names.len());
    let functions = functions();
    let unknown = names.iter().filter(|name| !functions.contains(**name));
    let finding = |name| format!("{document} names the test `{name}`, but no such function exists");
    assert_none(&unknown.map(finding).collect::<Vec<_>>());
}

fn assert_rows_name_tests(document: &str) {
    let text = text(document);
    let (names, without) = tests_in_tables(&text);
    assert_exist(document, &names);
    assert_none(
        &without
            .iter()
            .map(|row| format!("{document}: this row names no test: {row}"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn every_invariant_names_a_test_that_exists() {
    assert_rows_name_tests("docs/ARCHITECTURE.md");
}

#[test]
fn every_row_of_the_compatibility_table_names_a_test_that_exists() {
    assert_rows_name_tests("docs/COMPATIBILITY.md");
}

#[test]
fn the_protocol_lists_every_close_code_of_the_source() {
    let source = text("crates/ws/src/close.rs");
    let arms = source.split("fn number(self)").nth(1).and_then(|rest| rest.split("\n    }").next());
    let arms = arms.expect("close.rs has a function `number`").lines();
    let numbers = arms.filter_map(|arm| arm.split_once(" => ")?.1.strip_suffix(','));
    let protocol = text("docs/PROTOCOL.md");
    let table = protocol
        .split("\n## Close codes\n")
        .nth(1)
        .expect("PROTOCOL.md has a table of close codes");
    let rows = table.split("\n## ").next().into_iter().flat_map(str::lines);
    let listed = rows.filter_map(|row| row.strip_prefix("| ")?.split(" |").next());
    assert!(
        numbers.eq(listed.filter(|cell| *cell != "code")),
        "docs/PROTOCOL.md and close.rs must list the same codes in the same order"
    );
}

#[test]
fn test_names_are_found_in_tables() {
    let text = "| no | `no` |\n|---|---|\n| no | `no` |\n\n| what | test |\n|---|---|\n\
                | `no` | `a`, `b` |\n| c | – |\n";
    assert_eq!(tests_in_tables(text), (vec!["a", "b"], vec!["| c | – |"]));
}

#[test]
fn extending_md_shows_the_log_that_runs_the_laws() {
    let tested = text("crates/storage/tests/counting_log.rs");
    let page = text("docs/EXTENDING.md");
    let shown = page.split("```rust\n").find_map(|block| {
        let code = block.split("```").next()?;
        code.contains("struct CountingLog").then_some(code)
    });
    let shown = shown.expect("docs/EXTENDING.md shows a log");
    assert!(tested.ends_with(shown), "docs/EXTENDING.md and counting_log.rs differ");
}

#[test]
fn the_readme_is_short() {
    let lines = text("README.md").lines().count();
    assert!(lines <= 130, "README.md has {lines} lines; move the rest to docs/");
}
