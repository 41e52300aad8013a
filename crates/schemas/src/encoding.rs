//! From a shape to JSON.

use serde::Serialize;

/// The JSON of a shape. Every shape of this crate is made of strings, numbers, lists, and maps
/// whose names are strings, and these always encode.
#[expect(clippy::expect_used, reason = "strings, numbers and maps of strings always encode")]
pub(crate) fn encode(shape: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(shape).expect("encoding strings cannot fail")
}
