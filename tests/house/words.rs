//! Checks the words of comments, pages and test names: each sentence names its subject.

use crate::assert_none;
use crate::source::{entries, rust_files, text};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Words that hide the subject of a sentence. Questions end with a question mark and are allowed.
const RIDDLES: [&str; 4] = ["What", "Whatever", "Who", "Whoever"];

/// Beginnings of function names, such as those of tests, that hide the subject.
const NAME_RIDDLES: [&str; 4] = ["fn what_", "fn whatever_", "fn who_", "fn whoever_"];

fn sources() -> impl Iterator<Item = PathBuf> {
    ["crates", "tests"].into_iter().flat_map(rust_files)
}

fn pages() -> impl Iterator<Item = PathBuf> {
    let folders = ["docs", "docs/adr"].into_iter().flat_map(entries);
    let pages = folders.filter(|path| path.extension() == Some(OsStr::new("md")));
    pages.chain([PathBuf::from("README.md")])
}

/// The paragraphs of the comments of a source file, each on one line.
fn comments(source: &str) -> Vec<String> {
    let text_of = |line: &str| {
        let comment = line.trim_start().strip_prefix("//")?;
        Some(comment.trim_start_matches(['/', '!']).trim().to_owned())
    };
    joined(source.lines().map(|line| text_of(line).unwrap_or_default()))
}

/// The paragraphs, list items and table cells of a page outside code blocks and headings.
fn paragraphs(page: &str) -> Vec<String> {
    let mut is_code = false;
    let prose = page.lines().flat_map(|line| {
        is_code ^= line.starts_with("```");
        let line = if is_code || line.starts_with(['#', '`']) { "" } else { line.trim() };
        let is_item = line.starts_with("- ") || line.starts_with(|c: char| c.is_ascii_digit());
        // Each cell and each list item is a paragraph.
        match line {
            row if row.starts_with('|') => {
                row.split('|').flat_map(|cell| [cell.trim(), ""]).collect()
            }
            item if is_item => vec!["", item.trim_start_matches("- ")],
            other => vec![other],
        }
    });
    joined(prose.map(|text| text.trim_start_matches(['*', '_']).to_owned()))
}

/// Joins lines up to the next empty one.
fn joined(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in lines {
        match paragraphs.last_mut() {
            Some(last) if !line.is_empty() => {
                last.push(' ');
                last.push_str(&line);
            }
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

/// The sentences of a paragraph that hide their subject.
fn riddles(paragraph: &str) -> impl Iterator<Item = &str> {
    let sentences = paragraph.split_inclusive([':', '.', '!', '?', ';']).map(str::trim);
    sentences.filter(|sentence| {
        let word = sentence.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
        RIDDLES.contains(&word) && !sentence.ends_with('?')
    })
}

fn findings(path: &Path, paragraphs: &[String]) -> Vec<String> {
    let sentences = paragraphs.iter().flat_map(|paragraph| riddles(paragraph));
    sentences
        .map(|sentence| format!("{}: name the subject of: {sentence}", path.display()))
        .collect()
}

#[test]
fn sentences_of_comments_and_pages_name_their_subject() {
    let comments = sources().flat_map(|path| findings(&path, &comments(&text(&path))));
    let pages = pages().flat_map(|path| findings(&path, &paragraphs(&text(&path))));
    assert_none(&comments.chain(pages).collect::<Vec<_>>());
}

#[test]
fn names_of_functions_name_their_subject() {
    let mut findings = Vec::new();
    for path in sources() {
        let text = text(&path);
        let names = text.lines().map(str::trim_start).filter(|line| {
            NAME_RIDDLES.iter().any(|riddle| line.trim_start_matches("async ").starts_with(riddle))
        });
        findings.extend(names.map(|line| format!("{}: {line}", path.display())));
    }
    assert_none(&findings);
}

#[test]
fn hidden_subjects_are_found() {
    let source = "fn a() {}\n/// A. Who\n/// comes.\n///\n/// What is it?\n// Whatever. A what.\n";
    let found: Vec<_> =
        comments(source).iter().flat_map(|text| riddles(text)).map(str::to_owned).collect();
    assert_eq!(found, ["Who comes.", "Whatever."]);
    let page =
        "# What\n\nA line:\nWho. B\n\n| What | b |\n|---|---|\n```\nWhat\n```\n- What c\n  d.\n";
    let found: Vec<_> =
        paragraphs(page).iter().flat_map(|text| riddles(text)).map(str::to_owned).collect();
    assert_eq!(found, ["Who.", "What", "What c d."]);
}
