//! Frames that are about one connection, and no event of the log.

use crate::{FieldErrors, FieldProblem};
use serde::Serialize;
use std::time::Duration;
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
    /// If the client sends too much: after so many milliseconds it may go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after_ms: Option<u64>,
    /// Every bad field, if fields were the trouble.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
}

impl ErrorFrame {
    /// A frame that says `message`.
    pub fn new(message: &'static str) -> Self {
        Self { kind: "error", message, retry_after_ms: None, errors: Vec::new() }
    }

    /// The frame for a chat message with bad fields.
    pub fn invalid_chat(findings: &FieldErrors) -> Self {
        Self { errors: FieldProblem::of_body(findings), ..Self::new(INVALID_CHAT_MESSAGE) }
    }

    /// The frame for a message over the limit: the next one is taken after `retry_after`.
    pub fn too_many_messages(retry_after: Duration) -> Self {
        let message = "Too many messages. This one was not sent; wait before the next.";
        let millis = retry_after.as_nanos().div_ceil(1_000_000);
        let retry_after_ms = Some(u64::try_from(millis).unwrap_or(u64::MAX));
        Self { retry_after_ms, ..Self::new(message) }
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

    #[test]
    fn a_client_that_waits_as_long_as_it_is_told_is_not_too_early() {
        for (nanos, millis) in [(1, 1), (50_000_000, 50), (50_000_001, 51)] {
            let frame = ErrorFrame::too_many_messages(Duration::from_nanos(nanos)).to_json();
            let end = format!(r#"wait before the next.","retry_after_ms":{millis}}}"#);
            assert!(frame.ends_with(&end), "{frame}");
        }
    }
}
