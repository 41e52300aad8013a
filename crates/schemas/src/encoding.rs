//! Encodes wire shapes as JSON.

use serde::Serialize;

/// Returns the JSON of a shape. Every shape of this crate consists of strings, numbers, lists and
/// maps with string keys, so encoding cannot fail.
#[expect(clippy::expect_used, reason = "strings, numbers and maps of strings always encode")]
pub(crate) fn encode(shape: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(shape).expect("encoding strings cannot fail")
}
