//! Alerts and chat messages as flat JSON objects, the same on every socket and in every answer.

use crate::{PositionText, TimestampText};
use northgate_domain::{Alert, ChatMessage, Event, Position, Source, Stamped};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An alert.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Alert, example = json!({
    "id": "5c54e4c8-7a07-4d4f-9d0a-3f2f6c1c2d11",
    "timestamp": "2025-07-24T14:23:00.000000Z",
    "type": "alert",
    "message": "Intruder detected",
    "location": "North Gate",
    "revision": 1,
    "position": "9f86d081884c7d65-42"
}))]
pub struct AlertBody<'a> {
    /// Drawn by the server: UUID version 4.
    pub id: Uuid,
    /// When the alert was raised: RFC 3339, UTC, microseconds.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: TimestampText,
    /// Always `alert`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What happened.
    pub message: &'a str,
    /// Where it happened.
    pub location: &'a str,
    /// Which system said so; absent if it gave no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub source: Option<&'a str>,
    /// Rises with each event of this alert: of two states, the higher one is newer.
    pub revision: u64,
    /// Where in the stream the alert was raised; opaque.
    #[schema(value_type = String)]
    pub position: PositionText,
}

impl<'a> From<&'a Stamped<Alert>> for AlertBody<'a> {
    fn from(stamped: &'a Stamped<Alert>) -> Self {
        Self::new(stamped.position, &stamped.value)
    }
}

impl<'a> AlertBody<'a> {
    fn new(position: Position, alert: &'a Alert) -> Self {
        Self {
            id: alert.id.0,
            timestamp: TimestampText(alert.raised_at),
            kind: "alert",
            message: alert.message.as_str(),
            location: alert.location.as_str(),
            source: alert.source.as_ref().map(Source::as_str),
            revision: alert.revision.get(),
            position: PositionText(position),
        }
    }
}

/// A chat message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChatMessage, example = json!({
    "id": "0b6d1f5e-95b4-4f0e-8f2f-5a5c6f4f8a10",
    "timestamp": "2025-07-24T14:23:05.000000Z",
    "type": "chat",
    "sender": "Operator 1",
    "message": "On my way",
    "position": "9f86d081884c7d65-43"
}))]
pub struct ChatBody<'a> {
    /// Drawn by the server: UUID version 4.
    pub id: Uuid,
    /// When the message was kept: RFC 3339, UTC, microseconds.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: TimestampText,
    /// Always `chat`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Who said it.
    pub sender: &'a str,
    /// What was said.
    pub message: &'a str,
    /// Where in the stream the message stands; opaque.
    #[schema(value_type = String)]
    pub position: PositionText,
}

impl<'a> From<&'a Stamped<ChatMessage>> for ChatBody<'a> {
    fn from(stamped: &'a Stamped<ChatMessage>) -> Self {
        Self::new(stamped.position, &stamped.value)
    }
}

impl<'a> ChatBody<'a> {
    fn new(position: Position, message: &'a ChatMessage) -> Self {
        Self {
            id: message.id.0,
            timestamp: TimestampText(message.sent_at),
            kind: "chat",
            sender: message.sender.as_str(),
            message: message.message.as_str(),
            position: PositionText(position),
        }
    }
}

/// What `GET /` answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Welcome {
    /// The greeting of the service that Northgate replaced; scripts look for it.
    #[schema(example = "Welcome to my WebSocket Application")]
    pub message: &'static str,
}

impl Default for Welcome {
    fn default() -> Self {
        Self { message: "Welcome to my WebSocket Application" }
    }
}

/// What a probe is answered when all is well.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `live` or `ready`, as was asked.
    #[schema(example = "ready")]
    status: &'static str,
}

impl Health {
    /// The answer to a question for `status`.
    pub const fn new(status: &'static str) -> Self {
        Self { status }
    }
}

/// Writes the JSON object of an event behind what `out` holds already.
#[expect(clippy::expect_used, reason = "these shapes have no map and no float, and Vec takes all")]
pub fn encode_event(event: &Stamped<Event>, out: &mut Vec<u8>) {
    match &event.value {
        Event::Alert(alert) => {
            serde_json::to_writer(out, &AlertBody::new(event.position, &alert.alert))
        }
        Event::Chat(message) => serde_json::to_writer(out, &ChatBody::new(event.position, message)),
    }
    .expect("encoding into memory cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use northgate_domain::{
        AlertChange, AlertEvent, AlertId, Epoch, Location, MessageId, MessageText, Revision,
        Sender, Timestamp,
    };

    fn encoded(value: Event) -> String {
        let position = Position { epoch: Epoch::new(1), offset: 2 };
        let mut out = Vec::new();
        encode_event(&Stamped { position, value }, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn alert(source: Option<&str>) -> Event {
        Event::Alert(AlertEvent {
            change: AlertChange::Raised,
            alert: Alert {
                id: AlertId(Uuid::from_u128(5)),
                revision: Revision::FIRST,
                message: MessageText::parse("say \"hi\"\n\u{1F6A8} </script>").unwrap(),
                location: Location::parse("North Gate").unwrap(),
                source: source.map(|name| Source::parse(name).unwrap()),
                raised_at: Timestamp::from_unix_micros(1_753_366_980_000_000),
            },
        })
    }

    #[test]
    fn an_alert_is_one_flat_object() {
        assert_eq!(
            encoded(alert(None)),
            concat!(
                r#"{"id":"00000000-0000-0000-0000-000000000005","#,
                r#""timestamp":"2025-07-24T14:23:00.000000Z","type":"alert","#,
                "\"message\":\"say \\\"hi\\\"\\n\u{1F6A8} </script>\",",
                r#""location":"North Gate","revision":1,"position":"0000000000000001-2"}"#,
            )
        );
    }

    #[test]
    fn an_alert_names_its_source_if_it_has_one() {
        assert!(encoded(alert(Some("generator"))).contains(r#","source":"generator","#));
    }

    #[test]
    fn a_chat_message_is_one_flat_object() {
        let message = ChatMessage {
            id: MessageId(Uuid::from_u128(6)),
            sender: Sender::parse("Operator 1").unwrap(),
            message: MessageText::parse("What’s happening?").unwrap(),
            sent_at: Timestamp::from_unix_micros(0),
        };
        assert_eq!(
            encoded(Event::Chat(message)),
            concat!(
                r#"{"id":"00000000-0000-0000-0000-000000000006","#,
                r#""timestamp":"1970-01-01T00:00:00.000000Z","type":"chat","#,
                r#""sender":"Operator 1","message":"What’s happening?","#,
                r#""position":"0000000000000001-2"}"#,
            )
        );
    }
}
