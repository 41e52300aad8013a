//! Every close code, in one table, and the Close frame on the wire (RFC 6455 sections 5.5.1, 7.4).

use actix_ws::ProtocolError;
use bytes::Bytes;
use std::io::ErrorKind;
use std::time::Duration;

/// How long a client may take to answer a Close, or to stop sending, before it is cut. Ending at
/// once would reset the connection while the client still sends, and what it has not received yet
/// would be lost (RFC 6455 section 7.1.1).
pub(crate) const LINGER: Duration = Duration::from_secs(1);

/// Why the server closes a connection. Of the codes that are ours, 4000 to 4499 mean *connect
/// again*, and 4500 to 4999 mean *do not*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// The server leaves.
    GoingAway,
    /// The client broke the protocol.
    ProtocolError,
    /// A text message was not UTF-8.
    InvalidText,
    /// A message was larger than is taken.
    MessageTooBig,
    /// The client took so little that the next event is no longer held.
    TooFarBehind,
    /// The client did not answer a ping.
    NoPong,
}

impl CloseCode {
    /// Why the decoder gave up; `None` if the connection broke and there is nobody to tell.
    pub(crate) fn of(error: &ProtocolError) -> Option<Self> {
        match error {
            // The library's way to say that text, or a fragmented text, is no UTF-8.
            ProtocolError::Io(error) if error.kind() == ErrorKind::InvalidData => {
                Some(Self::InvalidText)
            }
            ProtocolError::Io(_) => None,
            ProtocolError::Overflow => Some(Self::MessageTooBig),
            ProtocolError::UnmaskedFrame
            | ProtocolError::MaskedFrame
            | ProtocolError::InvalidOpcode(_)
            | ProtocolError::InvalidLength(_)
            | ProtocolError::BadOpCode
            | ProtocolError::ContinuationNotStarted
            | ProtocolError::ContinuationStarted
            | ProtocolError::ContinuationFragment(_) => Some(Self::ProtocolError),
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::ProtocolError => 1002,
            Self::InvalidText => 1007,
            Self::MessageTooBig => 1009,
            Self::TooFarBehind => 4008,
            Self::NoPong => 4010,
        }
    }

    /// The reason on the wire, for people: at most 123 bytes.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::GoingAway => "the server is stopping; connect again",
            Self::ProtocolError => "this is not the WebSocket protocol as RFC 6455 has it",
            Self::InvalidText => "a text message was not UTF-8",
            Self::MessageTooBig => "the message is larger than the server takes",
            Self::TooFarBehind => "too far behind; connect again",
            Self::NoPong => "no answer to a ping; connect again",
        }
    }
}

/// How the server ends its half of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    /// For a reason of its own.
    With(CloseCode),
    /// Because the client said so: with the client's own code, if it gave one.
    Echo(Option<u16>),
}

impl Closing {
    /// The Close frame, unmasked.
    pub(crate) fn frame(self) -> Bytes {
        let (code, reason) = match self {
            Self::With(code) => (Some(code.number()), code.reason()),
            Self::Echo(code) => (code, ""),
        };
        let mut payload = Vec::with_capacity(2 + reason.len());
        if let Some(code) = code {
            payload.extend_from_slice(&code.to_be_bytes());
            payload.extend_from_slice(reason.as_bytes());
        }
        let length = u8::try_from(payload.len()).unwrap_or(u8::MAX);
        debug_assert!(length <= 125, "control frames are short (RFC 6455 section 5.5)");
        [&[0x88, length], payload.as_slice()].concat().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_frame_carries_code_and_reason() {
        let frame = Closing::With(CloseCode::MessageTooBig).frame();
        assert_eq!(frame[..4], [0x88, 45, 0x03, 0xF1]);
        assert_eq!(&frame[4..], b"the message is larger than the server takes");
    }

    #[test]
    fn an_echo_carries_the_clients_code_and_nothing_else() {
        assert_eq!(Closing::Echo(Some(4_999)).frame()[..], [0x88, 2, 0x13, 0x87]);
        assert_eq!(Closing::Echo(None).frame()[..], [0x88, 0]);
    }
}
