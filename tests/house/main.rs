//! Checks of the source tree: dependencies between crates, limits for files and names, and the
//! names of tests in the documents.

mod arrows;
mod circles;
mod documents;
mod shape;
mod source;
mod words;

/// Fails with a list of all findings.
fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}
