//! What a client says is chat, or an action on an alert: each is done, or it is told why not.

use crate::close::CloseCode;
use crate::conversation::{Answer, Conversation, Said};
use crate::limit::{ChatLimit, Excess};
use northgate_domain::ActOnAlert;
use northgate_schemas::{
    BodyError, ClientMessage, ErrorFrame, INVALID_CHAT_MESSAGE, Outcome, Refusal, ResultFrame,
};
use northgate_services::{Acted, AlertService, ChatService, Kept, Rejection, SubmitError};
use serde_json::Value;

/// What one client says.
pub(crate) struct Chat {
    pub(crate) service: ChatService,
    pub(crate) alerts: AlertService,
    pub(crate) limit: ChatLimit,
}

impl Conversation for Chat {
    async fn hear(&mut self, said: Said) -> Answer {
        let message = match judge(&said, self.limit.take()) {
            Ok(message) => message,
            Err(answer) => return answer,
        };
        match message {
            ClientMessage::Chat(Err(error)) => not_chat(&error),
            ClientMessage::Chat(Ok(post)) => match self.service.post(post, None).await {
                // The sender, too, gets the message from the stream.
                Ok(_) => Answer::Nothing,
                Err(error) => {
                    tracing::debug!(%error, "a chat message was not kept");
                    on_refusal(&error)
                }
            },
            ClientMessage::Act { reference, act } => {
                result(&reference, &act_on(&self.alerts, act).await)
            }
        }
    }
}

/// What is to be done, or else what to answer. A message over the limit is not even read.
fn judge(said: &Said, pace: Result<(), Excess>) -> Result<ClientMessage, Answer> {
    match pace {
        Ok(()) => {}
        Err(Excess::Wait(retry_after)) => {
            return Err(complaint(&ErrorFrame::too_many_messages(retry_after)));
        }
        Err(Excess::Flooding) => {
            tracing::info!("closed a connection that flooded");
            return Err(Answer::Close(CloseCode::NotAllowed));
        }
    }
    match said {
        Said::Text(text) => Ok(ClientMessage::parse(text.as_bytes())),
        Said::Binary(_) => Err(invalid()),
    }
}

fn not_chat(error: &BodyError) -> Answer {
    match error {
        BodyError::Invalid(findings) => complaint(&ErrorFrame::invalid_chat(findings)),
        BodyError::Malformed { .. } => invalid(),
    }
}

/// Does what an action says, if that can be read.
async fn act_on(alerts: &AlertService, act: Result<ActOnAlert, BodyError>) -> Outcome {
    match act {
        Ok(act) => outcome(alerts.act(act, None).await),
        Err(BodyError::Invalid(findings)) => Outcome::Refused(Refusal::invalid(&findings)),
        // What has a type that says so was read.
        Err(error @ BodyError::Malformed { .. }) => {
            Outcome::Refused(Refusal::new("malformed-json", error.to_string()))
        }
    }
}

fn outcome(done: Result<Kept<Acted>, SubmitError>) -> Outcome {
    match done {
        Ok(Kept { value: Acted { alert, changed: true }, .. }) => Outcome::Changed(alert),
        Ok(Kept { value: Acted { alert, changed: false }, .. }) => Outcome::Unchanged(alert),
        Err(SubmitError::Refused(Rejection::Rule(rejection))) => {
            Outcome::Refused(Refusal::from(&rejection))
        }
        Err(SubmitError::Unavailable) => Outcome::Failed(Refusal::unavailable()),
        // Without a key none is reused.
        Err(
            SubmitError::OutcomeUnknown
            | SubmitError::UnexpectedAnswer
            | SubmitError::Refused(Rejection::KeyReused),
        ) => Outcome::Failed(Refusal::outcome_unknown()),
    }
}

fn result(reference: &Value, outcome: &Outcome) -> Answer {
    Answer::Say(Said::Text(ResultFrame::new(reference, outcome).to_json().into()))
}

/// A message was well formed and still was not kept: what to tell its sender.
fn on_refusal(error: &SubmitError) -> Answer {
    complaint(&ErrorFrame::new(match error {
        SubmitError::Refused(_) => {
            "The message was refused, and not sent: there is no alert with its alert_id."
        }
        SubmitError::Unavailable => "The message was not kept, and not sent. Try again later.",
        SubmitError::OutcomeUnknown | SubmitError::UnexpectedAnswer => {
            "It is not known whether the message was kept. Look before sending it again."
        }
    }))
}

fn invalid() -> Answer {
    complaint(&ErrorFrame::new(INVALID_CHAT_MESSAGE))
}

fn complaint(frame: &ErrorFrame) -> Answer {
    Answer::Say(Said::Text(frame.to_json().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use serde_json::{Value, json};
    use std::time::Duration;

    const PLAIN: &str = r#"{"type":"error","message":"Invalid chat message. Expected: sender (str), message (str)."}"#;
    const GOOD: &str = r#"{"sender":" Op ","message":"hello","extra":1}"#;

    fn text(text: &str) -> Said {
        Said::Text(text.to_owned().into())
    }

    /// What a client is told.
    fn told(answer: Answer) -> String {
        match answer {
            Answer::Say(Said::Text(json)) => json.to_string(),
            other => panic!("expected a complaint, got {other:?}"),
        }
    }

    fn complaint_about(said: &str) -> String {
        match judge(&text(said), Ok(())) {
            Ok(ClientMessage::Chat(Err(error))) => told(not_chat(&error)),
            other => panic!("expected what cannot be read, got {other:?}"),
        }
    }

    #[test]
    fn a_chat_message_is_posted() {
        let Ok(ClientMessage::Chat(Ok(post))) = judge(&text(GOOD), Ok(())) else { panic!() };
        assert_eq!((post.sender.as_str(), post.message.as_str()), ("Op", "hello"));
    }

    #[test]
    fn what_is_no_chat_message_is_complained_about() {
        for bad in ["", "hello", "{", "[[[["] {
            let json = complaint_about(bad);
            assert!(json.starts_with(&PLAIN[..PLAIN.len() - 1]), "{json}");
        }
        let binary = Said::Binary(Bytes::from_static(GOOD.as_bytes()));
        assert_eq!(told(judge(&binary, Ok(())).unwrap_err()), PLAIN);
    }

    #[test]
    fn a_complaint_names_every_bad_field() {
        let json: Value = serde_json::from_str(&complaint_about(r#"{"message":7}"#)).unwrap();
        assert_eq!(json["errors"][0]["pointer"], "#/message");
        assert_eq!(json["errors"][1]["pointer"], "#/sender");
    }

    #[test]
    fn what_has_the_type_of_an_action_is_one_and_its_result_says_what_is_wrong() {
        let said = r#"{"type":"acknowledge","by":7,"ref":"a"}"#;
        let Ok(ClientMessage::Act { reference, act }) = judge(&text(said), Ok(())) else {
            panic!("it is an action")
        };
        assert_eq!(reference, "a");
        let Err(BodyError::Invalid(findings)) = act else { panic!("it is not whole") };
        let outcome = Outcome::Refused(Refusal::invalid(&findings));
        let json: Value = serde_json::from_str(&told(result(&reference, &outcome))).unwrap();
        assert_eq!((&json["type"], &json["ref"]), (&json!("result"), &json!("a")));
        assert_eq!(json["outcome"], "refused");
        assert_eq!(json["error"]["type"], "urn:northgate:problem:invalid");
        assert_eq!(json["error"]["errors"][0]["pointer"], "#/by");
        assert_eq!(json["error"]["errors"][1]["pointer"], "#/id");
        // Whatever else a message calls itself, it is chat, as it always was.
        let said = r#"{"type":"resolved","sender":"Op","message":"hello"}"#;
        assert!(matches!(judge(&text(said), Ok(())), Ok(ClientMessage::Chat(Ok(_)))));
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
        for said in [text(GOOD), text("{"), Said::Binary(Bytes::new())] {
            let wait = Err(Excess::Wait(Duration::from_micros(49_001)));
            let json: Value = serde_json::from_str(&told(judge(&said, wait).unwrap_err())).unwrap();
            let message = "Too many messages. This one was not sent; wait before the next.";
            assert_eq!(
                json,
                json!({ "type": "error", "message": message, "retry_after_ms": 50 }),
                "a client that waits so long is not too early"
            );
            let flooding = judge(&said, Err(Excess::Flooding));
            assert_eq!(flooding, Err(Answer::Close(CloseCode::NotAllowed)));
        }
    }
}
