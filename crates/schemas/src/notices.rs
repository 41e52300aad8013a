//! Notices of a stream as JSON: the position at which the stream resumes, and the progress of the
//! stream.

use crate::PositionText;
use northgate_domain::Notice;
use serde::Serialize;
use utoipa::ToSchema;

/// Returns the `type` of a notice on the wire, which is also the name of the SSE event.
pub const fn notice_name(notice: &Notice) -> &'static str {
    match notice {
        Notice::Resumed(_) | Notice::Gap { .. } => "resume",
        Notice::Live(_) => "live",
    }
}

/// Returns the JSON of a notice.
pub fn notice_json(notice: &Notice) -> String {
    let kind = notice_name(notice);
    let position = PositionText(notice.position());
    match *notice {
        Notice::Resumed(_) => {
            json(&ResumeNotice { kind, outcome: "complete", position, oldest: None })
        }
        Notice::Gap { oldest, .. } => {
            let oldest = Some(PositionText(oldest));
            json(&ResumeNotice { kind, outcome: "gap", position, oldest })
        }
        Notice::Live(_) => json(&LiveNotice { kind, position }),
    }
}

#[expect(clippy::expect_used, reason = "strings always encode")]
fn json(notice: &impl Serialize) -> String {
    serde_json::to_string(notice).expect("encoding strings cannot fail")
}

/// The first frame of a stream, with the position from which the stream continues. A stream without
/// any known parameter in its query does not send this frame.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "resume", "outcome": "complete", "position": "9f86d081884c7d65-42"
}))]
pub struct ResumeNotice {
    /// Always `resume`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// `complete`: every matching event after `position` follows. `gap`: some of the requested
    /// events are no longer retained, or the position never existed in this log. After a gap, the
    /// server sends no older events, and the stream continues live.
    outcome: &'static str,
    /// The position after which the stream continues.
    #[schema(value_type = String)]
    position: PositionText,
    /// The oldest position from which the stream can resume. The member is present only if
    /// `outcome` is `gap`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false)]
    oldest: Option<PositionText>,
}

/// The progress of a stream: every matching event at or before `position` has been sent. The server
/// sends this frame when the stream has caught up, and then at regular intervals.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "type": "live", "position": "9f86d081884c7d65-43" }))]
pub struct LiveNotice {
    /// Always `live`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The position that the stream has reached. A client that resumes from this position misses no
    /// event.
    #[schema(value_type = String)]
    position: PositionText,
}

/// The only event of an SSE stream that the server cannot serve now. The HTTP status is 200, so a
/// browser reconnects automatically. After any other status a browser does not reconnect.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "busy", "message": "The store cannot answer now."
}))]
pub struct BusyNotice {
    /// Always `busy`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Reason why the server cannot serve the stream, for people.
    message: String,
}

impl BusyNotice {
    /// Name of the SSE event.
    pub const NAME: &'static str = "busy";

    /// Creates a notice with the reason `message`.
    pub fn new(message: impl Into<String>) -> Self {
        Self { kind: Self::NAME, message: message.into() }
    }

    /// Returns the notice as JSON.
    pub fn to_json(&self) -> String {
        json(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use northgate_domain::{Epoch, Position};

    #[test]
    fn notices_contain_the_position_of_the_stream() {
        let at = |offset| Position { epoch: Epoch::new(1), offset };
        for (notice, json) in [
            (
                Notice::Resumed(at(2)),
                r#"{"type":"resume","outcome":"complete","position":"0000000000000001-2"}"#,
            ),
            (
                Notice::Gap { position: at(9), oldest: at(4) },
                r#"{"type":"resume","outcome":"gap","position":"0000000000000001-9","oldest":"0000000000000001-4"}"#,
            ),
            (Notice::Live(at(3)), r#"{"type":"live","position":"0000000000000001-3"}"#),
        ] {
            assert_eq!(notice_json(&notice), json);
        }
    }
}
