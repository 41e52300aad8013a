//! What a client says is chat, or an action on an alert: each is done, or it is told why not.

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

/// What one client says.
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
                // The sender, too, gets the message from the stream.
                Ok(_) => Reply::Nothing,
                Err(error) => {
                    tracing::debug!(%error, "a chat message was not kept");
                    on_refusal(&error)
                }
            },
            ClientRequest::Act { reference, act } => {
                result(&reference, &act_on(&self.alerts, act).await)
            }
        }
    }
}

/// What is to be done, or else what to answer. A message over the limit is not even read.
fn judge(message: &ClientMessage, pace: Result<(), Excess>) -> Result<ClientRequest, Reply> {
    match pace {
        Ok(()) => {}
        Err(Excess::Wait(retry_after)) => {
            return Err(complaint(&ErrorFrame::too_many_messages(retry_after)));
        }
        Err(Excess::Flooding) => {
            tracing::info!("closed a connection that flooded");
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

/// Does what an action says, if that can be read.
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
        // What has a type that says so was read.
        Err(error @ BodyError::Malformed { .. }) => {
            ActionOutcome::Refused(ActionError::new("malformed-json", error.to_string()))
        }
    }
}

fn result(reference: &Value, outcome: &ActionOutcome) -> Reply {
    Reply::Send(ClientMessage::Text(ResultFrame::new(reference, outcome).to_json().into()))
}

/// A message was well formed and still was not kept: what to tell its sender.
fn on_refusal(error: &SubmitError) -> Reply {
    complaint(&ErrorFrame::new(match error {
        // Without a key none is reused.
        SubmitError::Refused(_) | SubmitError::KeyReused => {
            "The message was refused, and not sent: there is no alert with its alert_id."
        }
        SubmitError::Unavailable => "The message was not kept, and not sent. Try again later.",
        SubmitError::OutcomeUnknown | SubmitError::UnexpectedAnswer => {
            "It is not known whether the message was kept. Look before sending it again."
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

    /// What a client is told.
    fn told(answer: Reply) -> String {
        match answer {
            Reply::Send(ClientMessage::Text(json)) => json.to_string(),
            other => panic!("expected a complaint, got {other:?}"),
        }
    }

    fn complaint_about(message: &str) -> String {
        match judge(&text(message), Ok(())) {
            Ok(ClientRequest::Chat(Err(error))) => told(not_chat(&error)),
            other => panic!("expected what cannot be read, got {other:?}"),
        }
    }

    #[test]
    fn a_chat_message_is_posted() {
        let Ok(ClientRequest::Chat(Ok(post))) = judge(&text(GOOD), Ok(())) else { panic!() };
        assert_eq!((post.sender.as_str(), post.message.as_str()), ("Op", "hello"));
    }

    #[test]
    fn what_is_no_chat_message_is_complained_about() {
        for bad in ["", "hello", "{", "[[[["] {
            let json = complaint_about(bad);
            assert!(json.starts_with(&PLAIN[..PLAIN.len() - 1]), "{json}");
        }
        let binary = ClientMessage::Binary(Bytes::from_static(GOOD.as_bytes()));
        assert_eq!(told(judge(&binary, Ok(())).unwrap_err()), PLAIN);
    }

    #[test]
    fn a_complaint_names_every_bad_field() {
        let json: Value = serde_json::from_str(&complaint_about(r#"{"message":7}"#)).unwrap();
        assert_eq!(json["errors"][0]["pointer"], "#/message");
        assert_eq!(json["errors"][1]["pointer"], "#/sender");
    }

    #[test]
    fn a_bad_action_frame_gets_a_result_that_says_what_is_wrong() {
        let message = r#"{"type":"acknowledge","by":7,"ref":"a"}"#;
        let Ok(ClientRequest::Act { reference, act }) = judge(&text(message), Ok(())) else {
            panic!("it is an action")
        };
        assert_eq!(reference, "a");
        let Err(BodyError::Invalid(findings)) = act else { panic!("it is not whole") };
        let outcome = ActionOutcome::Refused(ActionError::invalid(&findings));
        let json: Value = serde_json::from_str(&told(result(&reference, &outcome))).unwrap();
        assert_eq!((&json["type"], &json["ref"]), (&json!("result"), &json!("a")));
        assert_eq!(json["outcome"], "refused");
        assert_eq!(json["error"]["type"], "urn:northgate:problem:invalid");
        assert_eq!(json["error"]["errors"][0]["pointer"], "#/by");
        assert_eq!(json["error"]["errors"][1]["pointer"], "#/id");
        // Whatever else a message calls itself, it is chat, as it always was.
        let message = r#"{"type":"resolved","sender":"Op","message":"hello"}"#;
        assert!(matches!(judge(&text(message), Ok(())), Ok(ClientRequest::Chat(Ok(_)))));
    }

    #[test]
    fn a_message_that_was_not_kept_is_complained_about() {
        for error in
            [SubmitError::Unavailable, SubmitError::OutcomeUnknown, SubmitError::UnexpectedAnswer]
        {
            let json: Value = serde_json::from_str(&told(on_refusal(&error))).unwrap();
            assert_eq!(json["type"], "error");
            let kept_for_sure = error == SubmitError::Unavailable;
            assert_eq!(json["message"].as_str().unwrap().contains("was not kept"), kept_for_sure);
        }
    }

    #[test]
    fn over_the_limit_even_a_good_message_is_refused_and_then_the_client() {
        for sent in [text(GOOD), text("{"), ClientMessage::Binary(Bytes::new())] {
            let wait = Err(Excess::Wait(Duration::from_micros(49_001)));
            let json: Value = serde_json::from_str(&told(judge(&sent, wait).unwrap_err())).unwrap();
            let message = "Too many messages. This one was not sent; wait before the next.";
            assert_eq!(
                json,
                json!({ "type": "error", "message": message, "retry_after_ms": 50 }),
                "a client that waits so long is not too early"
            );
            let flooding = judge(&sent, Err(Excess::Flooding));
            assert_eq!(flooding, Err(Reply::Close(CloseCode::NotAllowed)));
        }
    }
}
