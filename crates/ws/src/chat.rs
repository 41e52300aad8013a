//! The product's message handler: posts chat, acts on alerts, and reports why a message failed.

use crate::close::CloseCode;
use crate::limit::{ChatLimit, Excess};
use crate::message_handler::{ClientMessage, MessageHandler, Reply};
use northgate_domain::ActOnAlert;
use northgate_schemas::{
    ActionError, ActionOutcome, BodyError, ClientRequest, ErrorFrame, INVALID_CHAT_MESSAGE,
    ResultFrame,
};
use northgate_services::{AlertService, ChatService, SubmitError};
use serde_json::Value;

/// Message handler of one client.
pub(crate) struct Chat {
    pub(crate) service: ChatService,
    pub(crate) alerts: AlertService,
    pub(crate) limit: ChatLimit,
}

impl MessageHandler for Chat {
    async fn handle(&mut self, message: ClientMessage) -> Reply {
        let message = match judge(&message, self.limit.take()) {
            Ok(message) => message,
            Err(answer) => return answer,
        };
        match message {
            ClientRequest::Chat(Err(error)) => not_chat(&error),
            ClientRequest::Chat(Ok(post)) => match self.service.post(post, None).await {
                // The sender also receives the message from the stream.
                Ok(_) => Reply::Nothing,
                Err(error) => {
                    tracing::debug!(%error, "posting a chat message failed");
                    on_refusal(&error)
                }
            },
            ClientRequest::Act { reference, act } => {
                result(&reference, &act_on(&self.alerts, act).await)
            }
        }
    }
}

/// Returns the client's request, or the reply to a message that is refused. A message over the
/// limit is not parsed.
fn judge(message: &ClientMessage, pace: Result<(), Excess>) -> Result<ClientRequest, Reply> {
    match pace {
        Ok(()) => {}
        Err(Excess::Wait(retry_after)) => {
            return Err(complaint(&ErrorFrame::too_many_messages(retry_after)));
        }
        Err(Excess::Flooding) => {
            tracing::info!("closed a connection that ignored its message limit");
            return Err(Reply::Close(CloseCode::NotAllowed));
        }
    }
    match message {
        ClientMessage::Text(text) => Ok(ClientRequest::parse(text.as_bytes())),
        ClientMessage::Binary(_) => Err(invalid()),
    }
}

fn not_chat(error: &BodyError) -> Reply {
    match error {
        BodyError::Invalid(findings) => complaint(&ErrorFrame::invalid_chat(findings)),
        BodyError::Malformed { .. } => invalid(),
    }
}

/// Performs an action, or reports the errors of its fields.
async fn act_on(alerts: &AlertService, act: Result<ActOnAlert, BodyError>) -> ActionOutcome {
    match act {
        Ok(act) => match alerts.act(act, None).await {
            Ok(done) => ActionOutcome::done(done.value.alert, done.value.changed),
            Err(error) => {
                ActionOutcome::not_done(error.broken_rule(), error == SubmitError::Unavailable)
            }
        },
        Err(BodyError::Invalid(findings)) => {
            ActionOutcome::Refused(ActionError::invalid(&findings))
        }
        // Not expected: the frame was parsed as JSON before its type was known.
        Err(error @ BodyError::Malformed { .. }) => {
            ActionOutcome::Refused(ActionError::new("malformed-json", error.to_string()))
        }
    }
}

fn result(reference: &Value, outcome: &ActionOutcome) -> Reply {
    Reply::Send(ClientMessage::Text(ResultFrame::new(reference, outcome).to_json().into()))
}

/// Returns the error frame for a valid message that could not be posted.
fn on_refusal(error: &SubmitError) -> Reply {
    complaint(&ErrorFrame::new(match error {
        // Chat over a WebSocket has no idempotency key, so `KeyReused` is not expected.
        SubmitError::Refused(_) | SubmitError::KeyReused => {
            "The message was refused and not sent: its alert_id matches no alert."
        }
        SubmitError::Unavailable => "The message was not stored and not sent. Try again later.",
        SubmitError::OutcomeUnknown | SubmitError::UnexpectedAnswer => {
            "The server does not know whether the message was stored. \
             Check the chat before you send the message again."
        }
    }))
}

fn invalid() -> Reply {
    complaint(&ErrorFrame::new(INVALID_CHAT_MESSAGE))
}

fn complaint(frame: &ErrorFrame) -> Reply {
    Reply::Send(ClientMessage::Text(frame.to_json().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use serde_json::{Value, json};
    use std::time::Duration;

    const PLAIN: &str = r#"{"type":"error","message":"Invalid chat message. Expected: sender (str), message (str)."}"#;
    const GOOD: &str = r#"{"sender":" Op ","message":"hello","extra":1}"#;

    fn text(text: &str) -> ClientMessage {
        ClientMessage::Text(text.to_owned().into())
    }

    /// Returns the JSON of a reply.
    fn json_of(answer: Reply) -> String {
        match answer {
            Reply::Send(ClientMessage::Text(json)) => json.to_string(),
            other => panic!("expected a text frame, got {other:?}"),
        }
    }

    fn complaint_about(message: &str) -> String {
        match judge(&text(message), Ok(())) {
            Ok(ClientRequest::Chat(Err(error))) => json_of(not_chat(&error)),
            other => panic!("expected an invalid chat message, got {other:?}"),
        }
    }

    #[test]
    fn a_chat_message_is_posted() {
        let Ok(ClientRequest::Chat(Ok(post))) = judge(&text(GOOD), Ok(())) else { panic!() };
        assert_eq!((post.sender.as_str(), post.message.as_str()), ("Op", "hello"));
    }

    #[test]
    fn an_invalid_chat_message_is_answered_with_an_error_frame() {
        for bad in ["", "hello", "{", "[[[["] {
            let json = complaint_about(bad);
            assert!(json.starts_with(&PLAIN[..PLAIN.len() - 1]), "{json}");
        }
        let binary = ClientMessage::Binary(Bytes::from_static(GOOD.as_bytes()));
        assert_eq!(json_of(judge(&binary, Ok(())).unwrap_err()), PLAIN);
    }

    #[test]
    fn an_error_frame_names_every_bad_field() {
        let json: Value = serde_json::from_str(&complaint_about(r#"{"message":7}"#)).unwrap();
        assert_eq!(json["errors"][0]["pointer"], "#/message");
        assert_eq!(json["errors"][1]["pointer"], "#/sender");
    }

    #[test]
    fn an_invalid_action_is_answered_with_its_field_errors() {
        let message = r#"{"type":"acknowledge","by":7,"ref":"a"}"#;
        let Ok(ClientRequest::Act { reference, act }) = judge(&text(message), Ok(())) else {
            panic!("expected an action")
        };
        assert_eq!(reference, "a");
        let Err(BodyError::Invalid(findings)) = act else { panic!("expected field errors") };
        let outcome = ActionOutcome::Refused(ActionError::invalid(&findings));
        let json: Value = serde_json::from_str(&json_of(result(&reference, &outcome))).unwrap();
        assert_eq!((&json["type"], &json["ref"]), (&json!("result"), &json!("a")));
        assert_eq!(json["outcome"], "refused");
        assert_eq!(json["error"]["type"], "urn:northgate:problem:invalid");
        assert_eq!(json["error"]["errors"][0]["pointer"], "#/by");
        assert_eq!(json["error"]["errors"][1]["pointer"], "#/id");
        // A message of any other type is chat, as in the service that Northgate replaces.
        let message = r#"{"type":"resolved","sender":"Op","message":"hello"}"#;
        assert!(matches!(judge(&text(message), Ok(())), Ok(ClientRequest::Chat(Ok(_)))));
    }

    #[test]
    fn a_message_that_was_not_stored_is_answered_with_an_error_frame() {
        for error in
            [SubmitError::Unavailable, SubmitError::OutcomeUnknown, SubmitError::UnexpectedAnswer]
        {
            let json: Value = serde_json::from_str(&json_of(on_refusal(&error))).unwrap();
            assert_eq!(json["type"], "error");
            let not_stored = error == SubmitError::Unavailable;
            assert_eq!(json["message"].as_str().unwrap().contains("was not stored"), not_stored);
        }
    }

    #[test]
    fn messages_over_the_limit_are_refused_and_then_the_client_is_closed() {
        for sent in [text(GOOD), text("{"), ClientMessage::Binary(Bytes::new())] {
            let wait = Err(Excess::Wait(Duration::from_micros(49_001)));
            let json: Value =
                serde_json::from_str(&json_of(judge(&sent, wait).unwrap_err())).unwrap();
            let message =
                "Too many messages. This message was not sent. Wait before you send the next.";
            assert_eq!(
                json,
                json!({ "type": "error", "message": message, "retry_after_ms": 50 }),
                "the wait is rounded up to milliseconds"
            );
            let flooding = judge(&sent, Err(Excess::Flooding));
            assert_eq!(flooding, Err(Reply::Close(CloseCode::NotAllowed)));
        }
    }
}
