//! Decides the reaction to each frame of a client, without I/O.

use crate::close::{CloseCode, Closing};
use crate::heartbeat::Beat;
use crate::message_handler::ClientMessage;
use crate::scanner::Violation;
use actix_ws::{AggregatedMessage, ProtocolError};
use bytes::Bytes;

/// Reaction to a frame, to the end of the stream, or to a silence.
#[derive(Debug, PartialEq)]
pub(crate) enum Reaction {
    Nothing,
    /// Send a ping.
    Ping,
    /// Send a pong with this payload.
    Pong(Bytes),
    /// Pass the message to the handler.
    Handle(ClientMessage),
    Close(Closing),
    /// End without a Close frame, because the client is disconnected.
    Leave,
}

/// Returns the reaction to a complete message or a control frame.
pub(crate) fn on_message(message: AggregatedMessage) -> Reaction {
    match message {
        AggregatedMessage::Text(text) => Reaction::Handle(ClientMessage::Text(text)),
        AggregatedMessage::Binary(bytes) => Reaction::Handle(ClientMessage::Binary(bytes)),
        AggregatedMessage::Ping(payload) => Reaction::Pong(payload),
        AggregatedMessage::Pong(_) => Reaction::Nothing,
        AggregatedMessage::Close(reason) => {
            Reaction::Close(Closing::Echo(reason.map(|reason| reason.code.into())))
        }
    }
}

/// Returns the reaction to an error of the decoder.
pub(crate) fn on_decode_error(error: &ProtocolError) -> Reaction {
    CloseCode::of(error).map_or(Reaction::Leave, |code| Reaction::Close(Closing::With(code)))
}

/// Returns the reaction to the end of the client's stream: a violation or a disconnect.
pub(crate) fn on_end(violation: Option<Violation>) -> Reaction {
    let code = match violation {
        Some(Violation::TooBig) => CloseCode::MessageTooBig,
        Some(Violation::Protocol) => CloseCode::ProtocolError,
        Some(Violation::InvalidText) => CloseCode::InvalidText,
        None => return Reaction::Leave,
    };
    Reaction::Close(Closing::With(code))
}

/// Returns the reaction to a client that was silent for too long.
pub(crate) fn on_silence(beat: Beat) -> Reaction {
    match beat {
        Beat::Ping => Reaction::Ping,
        Beat::GiveUp => Reaction::Close(Closing::With(CloseCode::NoPong)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_ws::CloseReason;

    #[test]
    fn messages_are_passed_to_the_handler() {
        let text = on_message(AggregatedMessage::Text("hello".into()));
        assert_eq!(text, Reaction::Handle(ClientMessage::Text("hello".into())));
        let bytes = Bytes::from_static(b"hello");
        let binary = on_message(AggregatedMessage::Binary(bytes.clone()));
        assert_eq!(binary, Reaction::Handle(ClientMessage::Binary(bytes)));
    }

    #[test]
    fn control_frames_are_answered_as_rfc_6455_requires() {
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
        assert_eq!(on_end(Some(Violation::InvalidText)), close(CloseCode::InvalidText));
        assert_eq!(on_end(None), Reaction::Leave);
    }

    #[test]
    fn a_silent_client_is_pinged_and_then_closed() {
        assert_eq!(on_silence(Beat::Ping), Reaction::Ping);
        let closing = Closing::With(CloseCode::NoPong);
        assert_eq!(on_silence(Beat::GiveUp), Reaction::Close(closing));
    }
}
