//! The house itself: which crate may know which, the shape of every file, and whether the documents
//! name tests that exist.

mod arrows;
mod circles;
mod documents;
mod shape;
mod source;

/// Fails with every finding at once.
fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}
