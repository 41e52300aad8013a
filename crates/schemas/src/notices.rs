//! Notices as JSON: where a stream goes on, and how far it is.

use crate::PositionText;
use northgate_domain::Notice;
use serde::Serialize;
use utoipa::ToSchema;

/// The `type` of a notice on the wire, and the name of its event over SSE.
pub const fn notice_name(notice: &Notice) -> &'static str {
    match notice {
        Notice::Resumed(_) | Notice::Gap { .. } => "resume",
        Notice::Live(_) => "live",
    }
}

/// The JSON of a notice.
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

/// The first frame of a stream that was asked for more than what happens from now on: where it
/// goes on.
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
    /// On a gap, the oldest position from which the stream could have gone on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false)]
    oldest: Option<PositionText>,
}

/// How far a stream is. It comes once the stream has caught up, and again and again after that:
/// nothing that matches and lies at or before `position` is still to come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "type": "live", "position": "9f86d081884c7d65-43" }))]
pub struct LiveNotice {
    /// Always `live`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// How far the stream is; to resume from here is to miss nothing.
    #[schema(value_type = String)]
    position: PositionText,
}

/// The one event of a stream over SSE that cannot be served now. The client connects again by
/// itself: any status but 200 would make a browser give up for good.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "busy", "message": "The server has no place for another stream now."
}))]
pub struct BusyNotice {
    /// Always `busy`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Why, for people.
    message: String,
}

impl BusyNotice {
    /// The name of the event.
    pub const NAME: &'static str = "busy";

    /// A notice that says why.
    pub fn new(message: impl Into<String>) -> Self {
        Self { kind: Self::NAME, message: message.into() }
    }

    /// The notice's JSON.
    pub fn to_json(&self) -> String {
        json(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use northgate_domain::{Epoch, Position};

    #[test]
    fn notices_say_where_the_stream_is() {
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
