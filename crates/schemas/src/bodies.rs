//! Chat messages and small answers as flat JSON objects, and the function that encodes events.

use crate::alerts::AlertFrame;
use crate::{PositionText, TimestampText};
use northgate_domain::{AlertId, ChatMessage, Event, Position, Positioned};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

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
    /// Id of the message: a random UUID (version 4) that the server generates.
    pub id: Uuid,
    /// Time when the message was stored: RFC 3339, UTC, microseconds.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: TimestampText,
    /// Always `chat`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Name of the sender.
    pub sender: &'a str,
    /// Text of the message.
    pub message: &'a str,
    /// Id of the alert whose thread contains the message. The member is absent if the message
    /// belongs to no thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub alert_id: Option<Uuid>,
    /// Position of the message in the stream. Positions are opaque.
    #[schema(value_type = String)]
    pub position: PositionText,
}

impl<'a> From<&'a Positioned<ChatMessage>> for ChatBody<'a> {
    fn from(stamped: &'a Positioned<ChatMessage>) -> Self {
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
            alert_id: message.alert_id.map(|AlertId(id)| id),
            position: PositionText(position),
        }
    }
}

/// The answer of `GET /`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Welcome {
    /// Greeting of the Python service that Northgate replaced. Scripts check for this text.
    #[schema(example = "Welcome to my WebSocket Application")]
    pub message: &'static str,
}

impl Default for Welcome {
    fn default() -> Self {
        Self { message: "Welcome to my WebSocket Application" }
    }
}

/// The answer to a successful health probe.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// The state that the client asked for: `live` or `ready`.
    #[schema(example = "ready")]
    status: &'static str,
}

impl Health {
    /// Creates the answer to a probe for `status`.
    pub const fn new(status: &'static str) -> Self {
        Self { status }
    }
}

/// Appends the JSON object of an event to `out`.
#[expect(
    clippy::expect_used,
    reason = "maps have string keys, there are no floats, and writing to a Vec cannot fail"
)]
pub fn encode_event(event: &Positioned<Event>, out: &mut Vec<u8>) {
    match &event.value {
        Event::Alert(alert) => serde_json::to_writer(out, &AlertFrame::new(event.position, alert)),
        Event::Chat(message) => serde_json::to_writer(out, &ChatBody::new(event.position, message)),
    }
    .expect("encoding into memory cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use northgate_domain::{
        Alert, AlertChange, AlertEvent, Attribution, DedupKey, Epoch, EventMeta, HttpUrl, Label,
        LabelName, LabelValue, Labels, Location, MessageId, MessageText, Note, NoteText, Notes,
        Operator, RaiseAlert, Revision, Sender, Severity, Source, Status, Timestamp,
    };

    fn encoded(value: Event) -> String {
        let position = Position { epoch: Epoch::new(1), offset: 2 };
        let mut out = Vec::new();
        encode_event(&Positioned { position, value }, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(1_753_366_980_000_000 + seconds * 1_000_000)
    }

    fn alert() -> Alert {
        let message = MessageText::parse("say \"hi\"\n\u{1F6A8} </script>").unwrap();
        let raise = RaiseAlert::new(message, Location::parse("North Gate").unwrap());
        Alert::raised(&raise, EventMeta::new(Uuid::from_u128(5), at(0)))
    }

    #[test]
    fn an_alert_is_one_flat_object() {
        assert_eq!(
            encoded(Event::Alert(AlertEvent::raised(alert()))),
            concat!(
                r#"{"id":"00000000-0000-0000-0000-000000000005","#,
                r#""timestamp":"2025-07-24T14:23:00.000000Z","type":"alert","#,
                "\"message\":\"say \\\"hi\\\"\\n\u{1F6A8} </script>\",",
                r#""location":"North Gate","severity":"warning","status":"open","count":1,"#,
                r#""first_seen":"2025-07-24T14:23:00.000000Z","#,
                r#""last_seen":"2025-07-24T14:23:00.000000Z","#,
                r#""updated_at":"2025-07-24T14:23:00.000000Z","#,
                r#""revision":1,"position":"0000000000000001-2"}"#,
            )
        );
    }

    #[test]
    fn a_change_contains_the_complete_alert_and_the_action() {
        let anna = Operator::parse("Anna").unwrap();
        let mark = |seconds| Attribution { by: anna.clone(), at: at(seconds) };
        let note = Note { by: anna.clone(), text: NoteText::parse("hot").unwrap(), at: at(3) };
        let label = |name: &str, value: &str| Label {
            name: LabelName::parse(name).unwrap(),
            value: LabelValue::parse(value).unwrap(),
        };
        let alert = Alert {
            revision: Revision::new(7),
            source: Some(Source::parse("sensor").unwrap()),
            severity: Severity::Critical,
            labels: Labels::new(vec![label("zone", "Ä"), label("app/x", "\"")]).unwrap(),
            url: Some(HttpUrl::parse("https://example.com/?a=\"b\"").unwrap()),
            dedup_key: Some(DedupKey::parse("k").unwrap()),
            expires_at: Some(at(60)),
            last_seen: at(2),
            updated_at: at(4),
            count: 3,
            status: Status::Resolved { acknowledged: Some(mark(1)), resolved: mark(4) },
            notes: Notes::new(vec![note], 1),
            ..alert()
        };
        let (by, note) = (Some(anna), Some(NoteText::parse("out").unwrap()));
        let event = AlertEvent { change: AlertChange::Resolved, alert, by, note };
        assert_eq!(
            encoded(Event::Alert(event)),
            concat!(
                r#"{"change":"resolved","by":"Anna","note":"out","#,
                r#""id":"00000000-0000-0000-0000-000000000005","#,
                r#""timestamp":"2025-07-24T14:23:00.000000Z","type":"alert_update","#,
                "\"message\":\"say \\\"hi\\\"\\n\u{1F6A8} </script>\",",
                r#""location":"North Gate","source":"sensor","severity":"critical","#,
                r#""labels":{"app/x":"\"","zone":"Ä"},"url":"https://example.com/?a=%22b%22","#,
                r#""dedup_key":"k","status":"resolved","count":3,"#,
                r#""first_seen":"2025-07-24T14:23:00.000000Z","#,
                r#""last_seen":"2025-07-24T14:23:02.000000Z","#,
                r#""expires_at":"2025-07-24T14:24:00.000000Z","#,
                r#""acknowledged_by":"Anna","acknowledged_at":"2025-07-24T14:23:01.000000Z","#,
                r#""resolved_by":"Anna","resolved_at":"2025-07-24T14:23:04.000000Z","#,
                r#""notes":[{"by":"Anna","note":"hot","at":"2025-07-24T14:23:03.000000Z"}],"#,
                r#""notes_dropped":1,"updated_at":"2025-07-24T14:23:04.000000Z","#,
                r#""revision":7,"position":"0000000000000001-2"}"#,
            )
        );
    }

    #[test]
    fn a_chat_message_is_one_flat_object() {
        let message = ChatMessage {
            id: MessageId(Uuid::from_u128(6)),
            sender: Sender::parse("Operator 1").unwrap(),
            message: MessageText::parse("What’s happening?").unwrap(),
            alert_id: None,
            sent_at: Timestamp::from_unix_micros(0),
        };
        let json = |about: &str| {
            [
                r#"{"id":"00000000-0000-0000-0000-000000000006","#,
                r#""timestamp":"1970-01-01T00:00:00.000000Z","type":"chat","#,
                r#""sender":"Operator 1","message":"What’s happening?","#,
                about,
                r#""position":"0000000000000001-2"}"#,
            ]
            .concat()
        };
        assert_eq!(encoded(Event::Chat(message.clone())), json(""));
        let alert_id = Some(AlertId(Uuid::from_u128(5)));
        let about = r#""alert_id":"00000000-0000-0000-0000-000000000005","#;
        assert_eq!(encoded(Event::Chat(ChatMessage { alert_id, ..message })), json(about));
    }
}
