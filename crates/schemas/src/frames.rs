//! Frames that are about one connection, and no event of the log.

use crate::{FieldProblem, Findings, PositionText};
use northgate_domain::Position;
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

/// Where a stream goes on that was asked for more than what happens from now on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "resume", "outcome": "complete", "position": "9f86d081884c7d65-42"
}))]
pub struct ResumeNotice {
    /// Always `resume`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// `complete`: everything after `position` follows. `gap`: some of what was asked for is no
    /// longer held, or never was in this log; nothing is replayed, and the stream goes on live.
    outcome: &'static str,
    /// The position after which the stream goes on.
    #[schema(value_type = String)]
    position: PositionText,
    /// On a gap, the oldest position from which the stream could go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false)]
    oldest: Option<PositionText>,
}

impl ResumeNotice {
    /// Everything after `position` follows.
    pub fn complete(position: Position) -> Self {
        let position = PositionText(position);
        Self { kind: "resume", outcome: "complete", position, oldest: None }
    }

    /// What was asked for cannot be given.
    pub fn gap(position: Position, oldest: Position) -> Self {
        let oldest = Some(PositionText(oldest));
        Self { kind: "resume", outcome: "gap", position: PositionText(position), oldest }
    }

    /// The notice's JSON.
    #[expect(clippy::expect_used, reason = "strings always encode")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("encoding strings cannot fail")
    }
}

/// A sign of life that says how far the stream is: nothing that matches lies before `position`
/// and was not given.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "type": "live", "position": "9f86d081884c7d65-43" }))]
pub struct LiveNotice {
    /// Always `live`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// How far the stream is.
    #[schema(value_type = String)]
    position: PositionText,
}

impl LiveNotice {
    /// The stream is at `position`.
    pub fn new(position: Position) -> Self {
        Self { kind: "live", position: PositionText(position) }
    }

    /// The notice's JSON.
    #[expect(clippy::expect_used, reason = "strings always encode")]
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
    fn notices_say_where_the_stream_is() {
        use northgate_domain::Epoch;
        let at = |offset| Position { epoch: Epoch::new(1), offset };
        assert_eq!(
            ResumeNotice::complete(at(2)).to_json(),
            r#"{"type":"resume","outcome":"complete","position":"0000000000000001-2"}"#
        );
        assert_eq!(
            ResumeNotice::gap(at(9), at(4)).to_json(),
            r#"{"type":"resume","outcome":"gap","position":"0000000000000001-9","oldest":"0000000000000001-4"}"#
        );
        assert_eq!(
            LiveNotice::new(at(3)).to_json(),
            r#"{"type":"live","position":"0000000000000001-3"}"#
        );
    }
}
