//! Frames that are about one connection, and no event of the log.

use crate::{FieldProblem, Findings};
use serde::Serialize;
use utoipa::ToSchema;

/// What a client is told whose chat message could not be read: word for word what the service
/// said that Northgate replaced.
pub const INVALID_CHAT_MESSAGE: &str =
    "Invalid chat message. Expected: sender (str), message (str).";

/// Something went wrong with what this client sent. The connection stays open.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "error",
    "message": "Invalid chat message. Expected: sender (str), message (str).",
    "errors": [{ "pointer": "#/sender", "detail": "is required" }]
}))]
pub struct ErrorFrame {
    /// Always `error`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// What went wrong.
    message: &'static str,
    /// Every bad field, if fields were the trouble.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
}

impl ErrorFrame {
    /// A frame that says `message`.
    pub fn new(message: &'static str) -> Self {
        Self { kind: "error", message, errors: Vec::new() }
    }

    /// The frame for a chat message with bad fields.
    pub fn invalid_chat(findings: &Findings) -> Self {
        Self { errors: FieldProblem::of_body(findings), ..Self::new(INVALID_CHAT_MESSAGE) }
    }

    /// The frame's JSON.
    #[expect(clippy::expect_used, reason = "strings and lists of strings always encode")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("encoding strings cannot fail")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_error_frame_is_what_it_always_was() {
        assert_eq!(
            ErrorFrame::new(INVALID_CHAT_MESSAGE).to_json(),
            r#"{"type":"error","message":"Invalid chat message. Expected: sender (str), message (str)."}"#
        );
    }
}
