//! Frames that concern only one connection and are not events of the log.

use crate::{FieldErrors, FieldProblem};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// Error text for a chat message that cannot be parsed. The text is exactly that of the replaced
/// Python service.
pub const INVALID_CHAT_MESSAGE: &str =
    "Invalid chat message. Expected: sender (str), message (str).";

/// An error in a frame that this client sent. The connection stays open, unless the client ignores
/// the message limit.
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
    /// Description of the error.
    message: &'static str,
    /// Time to wait before the next message, in milliseconds. Only the error for too many messages
    /// has this member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after_ms: Option<u64>,
    /// All field errors, if invalid fields are the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
}

impl ErrorFrame {
    /// Creates a frame with only a `message`.
    pub fn new(message: &'static str) -> Self {
        Self { kind: "error", message, retry_after_ms: None, errors: Vec::new() }
    }

    /// Creates the frame for a chat message with invalid fields.
    pub fn invalid_chat(findings: &FieldErrors) -> Self {
        Self { errors: FieldProblem::of_body(findings), ..Self::new(INVALID_CHAT_MESSAGE) }
    }

    /// Creates the frame for a message over the rate limit. `retry_after` is the time to wait
    /// before the next message.
    pub fn too_many_messages(retry_after: Duration) -> Self {
        let message =
            "Too many messages. This message was not sent. Wait before you send the next.";
        let millis = retry_after.as_nanos().div_ceil(1_000_000);
        let retry_after_ms = Some(u64::try_from(millis).unwrap_or(u64::MAX));
        Self { retry_after_ms, ..Self::new(message) }
    }

    /// Returns the frame as JSON.
    #[expect(clippy::expect_used, reason = "strings and lists of strings always encode")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("encoding strings cannot fail")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_frame_equals_that_of_the_replaced_service() {
        assert_eq!(
            ErrorFrame::new(INVALID_CHAT_MESSAGE).to_json(),
            r#"{"type":"error","message":"Invalid chat message. Expected: sender (str), message (str)."}"#
        );
    }

    #[test]
    fn retry_after_ms_is_rounded_up() {
        for (nanos, millis) in [(1, 1), (50_000_000, 50), (50_000_001, 51)] {
            let frame = ErrorFrame::too_many_messages(Duration::from_nanos(nanos)).to_json();
            let end = format!(r#"Wait before you send the next.","retry_after_ms":{millis}}}"#);
            assert!(frame.ends_with(&end), "{frame}");
        }
    }
}
