//! Allowed dependencies: between the crates of the workspace, and on libraries.

use crate::assert_none;
use crate::source::{crates, root, text};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Folder of every crate, with the crates that this crate may depend on. Dependencies of tests do
/// not count.
const ARROWS: [(&str, &[&str]); 13] = [
    ("domain", &[]),
    ("schemas", &["domain"]),
    ("storage", &["domain"]),
    ("storage-sqlite", &["domain", "storage"]),
    ("services", &["domain", "storage"]),
    ("hub", &["domain", "storage"]),
    ("api", &["domain", "schemas", "services", "hub"]),
    ("ws", &["domain", "schemas", "services", "hub"]),
    // The page uses only the public API.
    ("dashboard", &[]),
    (
        "server",
        &[
            "domain",
            "schemas",
            "storage",
            "storage-sqlite",
            "services",
            "hub",
            "api",
            "ws",
            "dashboard",
        ],
    ),
    // The bench uses a server only through sockets.
    ("bench", &[]),
    // The test kit is used only by integration tests.
    ("testkit", &["domain", "storage", "server"]),
    ("tests", &["server", "testkit"]),
];

/// All libraries that a crate may depend on, for crates that have to stay small.
const LIBRARIES: [(&str, &[&str]); 1] =
    [("domain", &["enum-map", "thiserror", "time", "unicode-normalization", "url", "uuid"])];

/// Prefixes of library names, with the only crates that may depend on them, even in tests.
const OWNED: [(&str, &[&str]); 2] = [
    ("rusqlite", &["storage-sqlite"]),
    ("actix", &["api", "ws", "dashboard", "server", "bench", "testkit"]),
];

const PREFIX: &str = "northgate-";

fn metadata() -> Metadata {
    MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap()
}

/// The row of `key` in a table.
fn row<'a>(table: &[(&str, &'a [&'a str])], key: &str) -> Option<&'a [&'a str]> {
    table.iter().find(|(known, _)| *known == key).map(|(_, row)| *row)
}

/// The name of a package without the common prefix [`PREFIX`].
fn short(package: &Package) -> &str {
    package.name.strip_prefix(PREFIX).unwrap_or(&package.name)
}

/// The names of a package's dependencies outside its tests.
fn dependencies(package: &Package) -> impl Iterator<Item = &str> {
    let outside_tests = |kind| matches!(kind, DependencyKind::Normal | DependencyKind::Build);
    let all = package.dependencies.iter();
    all.filter(move |to| outside_tests(to.kind)).map(|to| to.name.as_str())
}

#[test]
fn every_dependency_between_crates_is_in_the_table() {
    let mut findings = Vec::new();
    for package in metadata().workspace_packages() {
        let from = short(package);
        let allowed = row(&ARROWS, from).unwrap_or_default();
        let arrows = dependencies(package).filter_map(|name| name.strip_prefix(PREFIX));
        findings.extend(arrows.filter(|to| !allowed.contains(to)).map(|to| {
            format!("{from} → {to} is not allowed by tests/house/arrows.rs: a new arrow needs a line in docs/adr/")
        }));
    }
    assert_none(&findings);
}

#[test]
fn every_workspace_member_is_in_the_table_and_named_by_its_folder() {
    let mut findings = Vec::new();
    for package in metadata().workspace_packages() {
        let name = &package.name;
        let folder = package.manifest_path.parent().and_then(|folder| folder.file_name());
        if row(&ARROWS, short(package)).is_none() {
            findings.push(format!("{name} is not in the table of tests/house/arrows.rs"));
        }
        if folder.is_none_or(|folder| **name != format!("{PREFIX}{folder}")) {
            findings
                .push(format!("{name} must be named {PREFIX}<folder>: its folder is {folder:?}"));
        }
    }
    assert_none(&findings);
}

#[test]
fn the_architecture_page_shows_the_table_of_crates() {
    let page = text("docs/ARCHITECTURE.md");
    let table = page.split("\n| crate | what it is | knows |\n").nth(1).expect("a table of crates");
    let rows = table.lines().skip(1).map_while(|line| line.strip_prefix("| `"));
    let shown: Vec<(&str, Vec<&str>)> = rows
        .map(|row| {
            let name = row.split('`').next().unwrap_or_default();
            let knows = row.trim_end_matches(" |").rsplit("| ").next().unwrap_or_default();
            (name, knows.split(", ").filter(|name| *name != "–").collect())
        })
        .collect();
    // The page describes `tests` below the table.
    let expected = ARROWS.iter().filter(|(name, _)| *name != "tests");
    assert_eq!(shown, expected.map(|(name, knows)| (*name, knows.to_vec())).collect::<Vec<_>>());
}

#[test]
fn every_row_of_the_table_is_a_crate() {
    let metadata = metadata();
    let packages = metadata.workspace_packages();
    let exists = |name: &str| packages.iter().any(|package| short(package) == name);
    let missing = ARROWS.iter().filter(|(name, _)| !exists(name));
    assert_none(&missing.map(|(name, _)| format!("there is no crate {name}")).collect::<Vec<_>>());
}

#[test]
fn every_crate_is_a_member_of_the_workspace() {
    let metadata = metadata();
    let is_member = |manifest| {
        metadata.workspace_packages().iter().any(|package| package.manifest_path == manifest)
    };
    let outside: Vec<_> = crates()
        .into_iter()
        .filter(|folder| !is_member(root().join(folder).join("Cargo.toml")))
        .map(|folder| format!("{} is not a member of the workspace", folder.display()))
        .collect();
    assert_none(&outside);
}

#[test]
fn a_small_crate_depends_only_on_its_listed_libraries() {
    let mut findings = Vec::new();
    for package in metadata().workspace_packages() {
        let from = short(package);
        let Some(allowed) = row(&LIBRARIES, from) else { continue };
        let more = dependencies(package).filter(|name| !allowed.contains(name));
        findings.extend(more.map(|name| format!("{from} may not depend on {name}")));
    }
    assert_none(&findings);
}

#[test]
fn only_the_owners_of_a_library_depend_on_it() {
    let mut findings = Vec::new();
    for package in metadata().workspace_packages() {
        let from = short(package);
        for (library, owners) in OWNED.iter().filter(|(_, owners)| !owners.contains(&from)) {
            let named = package.dependencies.iter().filter(|to| to.name.starts_with(library));
            findings.extend(named.map(|to| {
                format!("{from} may not depend on {}: only {} may", to.name, owners.join(", "))
            }));
        }
    }
    assert_none(&findings);
}
