//! What a client's message means: input in, reaction out, and no I/O.

use crate::close::{CloseCode, Closing};
use crate::heartbeat::Beat;
use crate::scanner::Violation;
use actix_ws::{AggregatedMessage, ProtocolError};
use bytes::Bytes;
use northgate_domain::PostMessage;
use northgate_schemas::{BodyError, ErrorFrame, INVALID_CHAT_MESSAGE, NewMessage};
use northgate_services::SubmitError;

/// What follows from what a client sent.
#[derive(Debug, PartialEq)]
pub(crate) enum Reaction {
    Nothing,
    /// Ask whether the client is there.
    Ping,
    /// Answer a ping.
    Pong(Bytes),
    /// Post a chat message.
    Post(PostMessage),
    /// Tell this client alone that something is wrong; the connection stays open.
    Complain(String),
    Close(Closing),
    /// The client is gone: there is nobody to tell.
    Leave,
}

/// A whole message, or a control frame.
pub(crate) fn on_message(message: AggregatedMessage) -> Reaction {
    match message {
        AggregatedMessage::Text(text) => match NewMessage::parse(text.as_bytes()) {
            Ok(post) => Reaction::Post(post),
            Err(BodyError::Invalid(findings)) => {
                Reaction::Complain(ErrorFrame::invalid_chat(&findings).to_json())
            }
            Err(BodyError::Malformed { .. }) => invalid_chat(),
        },
        AggregatedMessage::Binary(_) => invalid_chat(),
        AggregatedMessage::Ping(payload) => Reaction::Pong(payload),
        AggregatedMessage::Pong(_) => Reaction::Nothing,
        AggregatedMessage::Close(reason) => {
            Reaction::Close(Closing::Echo(reason.map(|reason| reason.code.into())))
        }
    }
}

/// The decoder gave up.
pub(crate) fn on_decode_error(error: &ProtocolError) -> Reaction {
    CloseCode::of(error).map_or(Reaction::Leave, |code| Reaction::Close(Closing::With(code)))
}

/// The client's stream ended, because of a violation or because the client is gone.
pub(crate) fn on_end(verdict: Option<Violation>) -> Reaction {
    match verdict {
        Some(Violation::TooBig) => Reaction::Close(Closing::With(CloseCode::MessageTooBig)),
        Some(Violation::Protocol) => Reaction::Close(Closing::With(CloseCode::ProtocolError)),
        None => Reaction::Leave,
    }
}

/// The client was silent for too long.
pub(crate) fn on_silence(beat: Beat) -> Reaction {
    match beat {
        Beat::Ping => Reaction::Ping,
        Beat::GiveUp => Reaction::Close(Closing::With(CloseCode::NoPong)),
    }
}

/// A chat message was well formed and still was not kept: what to tell its sender.
pub(crate) fn on_refusal(error: SubmitError) -> String {
    let message = match error {
        SubmitError::Refused(_) => "The message was refused, and not sent.",
        SubmitError::Unavailable => "The message was not kept, and not sent. Try again later.",
        SubmitError::OutcomeUnknown | SubmitError::UnexpectedAnswer => {
            "It is not known whether the message was kept. Look before sending it again."
        }
    };
    ErrorFrame::new(message).to_json()
}

fn invalid_chat() -> Reaction {
    Reaction::Complain(ErrorFrame::new(INVALID_CHAT_MESSAGE).to_json())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_ws::CloseReason;

    const PLAIN: &str = r#"{"type":"error","message":"Invalid chat message. Expected: sender (str), message (str)."}"#;

    fn text(text: &str) -> Reaction {
        on_message(AggregatedMessage::Text(text.to_owned().into()))
    }

    #[test]
    fn a_chat_message_is_posted() {
        let Reaction::Post(post) = text(r#"{"sender":" Op ","message":"hello","extra":1}"#) else {
            panic!("a valid message is posted")
        };
        assert_eq!((post.sender.as_str(), post.message.as_str()), ("Op", "hello"));
    }

    #[test]
    fn what_is_no_chat_message_is_complained_about() {
        for bad in ["", "hello", "{", "[[[["] {
            let Reaction::Complain(json) = text(bad) else { panic!("{bad:?}") };
            assert!(json.starts_with(&PLAIN[..PLAIN.len() - 1]), "{json}");
        }
        let binary = Bytes::from_static(br#"{"sender":"Op","message":"hello"}"#);
        assert_eq!(
            on_message(AggregatedMessage::Binary(binary)),
            Reaction::Complain(PLAIN.to_owned())
        );
    }

    #[test]
    fn a_complaint_names_every_bad_field() {
        let Reaction::Complain(json) = text(r#"{"message":7}"#) else { panic!("a complaint") };
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["errors"][0]["pointer"], "#/message");
        assert_eq!(json["errors"][1]["pointer"], "#/sender");
    }

    #[test]
    fn control_frames_are_answered_as_rfc_6455_wants() {
        let payload = Bytes::from_static(b"beat");
        assert_eq!(
            on_message(AggregatedMessage::Ping(payload.clone())),
            Reaction::Pong(payload.clone())
        );
        assert_eq!(on_message(AggregatedMessage::Pong(payload)), Reaction::Nothing);
        let reason = CloseReason { code: 4_999.into(), description: Some("bye".to_owned()) };
        for (reason, code) in [(Some(reason), Some(4_999)), (None, None)] {
            assert_eq!(
                on_message(AggregatedMessage::Close(reason)),
                Reaction::Close(Closing::Echo(code))
            );
        }
    }

    #[test]
    fn a_broken_stream_is_closed_with_its_code() {
        use std::io::{Error, ErrorKind};
        let utf8 = ProtocolError::Io(Error::new(ErrorKind::InvalidData, "not UTF-8"));
        let close = |code| Reaction::Close(Closing::With(code));
        assert_eq!(on_decode_error(&utf8), close(CloseCode::InvalidText));
        assert_eq!(on_decode_error(&ProtocolError::BadOpCode), close(CloseCode::ProtocolError));
        assert_eq!(on_decode_error(&ProtocolError::Io(Error::other("reset"))), Reaction::Leave);
        assert_eq!(on_end(Some(Violation::TooBig)), close(CloseCode::MessageTooBig));
        assert_eq!(on_end(Some(Violation::Protocol)), close(CloseCode::ProtocolError));
        assert_eq!(on_end(None), Reaction::Leave);
    }

    #[test]
    fn a_message_that_was_not_kept_is_complained_about() {
        for error in
            [SubmitError::Unavailable, SubmitError::OutcomeUnknown, SubmitError::UnexpectedAnswer]
        {
            let json: serde_json::Value = serde_json::from_str(&on_refusal(error)).unwrap();
            assert_eq!(json["type"], "error");
            let kept_for_sure = error == SubmitError::Unavailable;
            assert_eq!(json["message"].as_str().unwrap().contains("was not kept"), kept_for_sure);
        }
    }

    #[test]
    fn a_silent_client_is_pinged_and_then_closed() {
        assert_eq!(on_silence(Beat::Ping), Reaction::Ping);
        let closing = Closing::With(CloseCode::NoPong);
        assert_eq!(on_silence(Beat::GiveUp), Reaction::Close(closing));
    }
}
