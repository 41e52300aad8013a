//! What a client says is chat: each message is posted, or it is told why not.

use crate::close::CloseCode;
use crate::conversation::{Answer, Conversation, Said};
use crate::limit::{ChatLimit, Excess};
use northgate_domain::PostMessage;
use northgate_schemas::{BodyError, ErrorFrame, INVALID_CHAT_MESSAGE, NewMessage};
use northgate_services::{ChatService, SubmitError};

/// The chat of one client.
pub(crate) struct Chat {
    pub(crate) service: ChatService,
    pub(crate) limit: ChatLimit,
}

impl Conversation for Chat {
    async fn hear(&mut self, said: Said) -> Answer {
        let post = match judge(&said, self.limit.take()) {
            Ok(post) => post,
            Err(answer) => return answer,
        };
        match self.service.post(post, None).await {
            // The sender, too, gets the message from the stream.
            Ok(_) => Answer::Nothing,
            Err(error) => {
                tracing::debug!(%error, "a chat message was not kept");
                on_refusal(error)
            }
        }
    }
}

/// What is to be posted, or else what to answer. A message over the limit is not even read.
fn judge(said: &Said, pace: Result<(), Excess>) -> Result<PostMessage, Answer> {
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
    let Said::Text(text) = said else { return Err(invalid()) };
    NewMessage::parse(text.as_bytes()).map_err(|error| match error {
        BodyError::Invalid(findings) => complaint(&ErrorFrame::invalid_chat(&findings)),
        BodyError::Malformed { .. } => invalid(),
    })
}

/// A message was well formed and still was not kept: what to tell its sender.
fn on_refusal(error: SubmitError) -> Answer {
    complaint(&ErrorFrame::new(match error {
        SubmitError::Refused(_) => "The message was refused, and not sent.",
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
        told(judge(&text(said), Ok(())).unwrap_err())
    }

    #[test]
    fn a_chat_message_is_posted() {
        let post = judge(&text(GOOD), Ok(())).unwrap();
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
    fn a_message_that_was_not_kept_is_complained_about() {
        for error in
            [SubmitError::Unavailable, SubmitError::OutcomeUnknown, SubmitError::UnexpectedAnswer]
        {
            let json: Value = serde_json::from_str(&told(on_refusal(error))).unwrap();
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
