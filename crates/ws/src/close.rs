//! The table of all close codes, and the Close frame on the wire (RFC 6455 sections 5.5.1, 7.4).

use actix_ws::ProtocolError;
use bytes::Bytes;
use std::borrow::Cow;
use std::io::ErrorKind;
use std::time::Duration;

/// Time that a client has to answer a Close frame, or to stop sending, before the server ends the
/// connection. If the server ended the connection immediately, the kernel would reset the
/// connection while the client still sends, and the client would lose the frames that it has not
/// received yet (RFC 6455 section 7.1.1).
pub(crate) const LINGER: Duration = Duration::from_secs(1);

/// Reason why the server closes a connection. Northgate's own codes from 4000 to 4499 mean *connect
/// again*, and those from 4500 to 4999 mean *do not connect again*. `docs/PROTOCOL.md` has the same
/// table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// The server is stopping.
    GoingAway {
        /// Time that the client should wait before it reconnects. The time differs between clients,
        /// so that they do not all reconnect at the same time.
        retry_after: Duration,
    },
    /// The client violated RFC 6455.
    ProtocolError,
    /// A text message, or the reason of a Close frame, was not UTF-8.
    InvalidText,
    /// The client exceeded its message limit, and ignored the error frames that asked the client to
    /// wait.
    NotAllowed,
    /// A message exceeded the size limit, or had too many fragments.
    MessageTooBig,
    /// The store cannot be read, so the stream cannot start. (A full server answers the upgrade
    /// with 503.)
    TryAgainLater,
    /// The client's next event is no longer retained, or the client's stream made no progress for
    /// 30 s.
    TooFarBehind,
    /// The client did not answer a ping.
    NoPong,
}

impl CloseCode {
    /// Returns the code for an error of the decoder; `None` if the connection broke, because a
    /// Close frame cannot be delivered.
    pub(crate) fn of(error: &ProtocolError) -> Option<Self> {
        match error {
            // `actix-ws` returns this error for a text message, fragmented or not, that is not
            // UTF-8.
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

    /// Returns the number on the wire.
    pub const fn number(self) -> u16 {
        match self {
            Self::GoingAway { .. } => 1001,
            Self::ProtocolError => 1002,
            Self::InvalidText => 1007,
            Self::NotAllowed => 1008,
            Self::MessageTooBig => 1009,
            Self::TryAgainLater => 1013,
            Self::TooFarBehind => 4008,
            Self::NoPong => 4010,
        }
    }

    /// Returns the reason on the wire, at most 123 bytes. The reason is for people; programs read
    /// only the delay in the reason of `GoingAway`.
    pub fn reason(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::GoingAway { retry_after } => {
                let delay = retry_after.as_millis();
                return Cow::Owned(format!("retry_after_ms={delay}; the server is stopping"));
            }
            Self::ProtocolError => "a frame violates the WebSocket protocol, RFC 6455",
            Self::InvalidText => "a text message was not UTF-8",
            Self::NotAllowed => "too many messages, and the requests to wait were ignored",
            Self::MessageTooBig => "the message is larger than the server accepts",
            Self::TryAgainLater => "the server cannot accept this connection now; try again later",
            Self::TooFarBehind => "too far behind; connect again",
            Self::NoPong => "no answer to a ping; connect again",
        })
    }
}

/// How the server ends its half of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    /// With a code that the server chose.
    With(CloseCode),
    /// In answer to the client's Close frame, with the client's own code if it sent one.
    Echo(Option<u16>),
}

impl Closing {
    /// Returns the Close frame, unmasked.
    pub(crate) fn frame(self) -> Bytes {
        let (code, reason) = match self {
            Self::With(code) => (Some(code.number()), code.reason()),
            Self::Echo(code) => (code, Cow::default()),
        };
        let mut payload = Vec::with_capacity(2 + reason.len());
        if let Some(code) = code {
            payload.extend_from_slice(&code.to_be_bytes());
            payload.extend_from_slice(reason.as_bytes());
        }
        let length = u8::try_from(payload.len()).unwrap_or(u8::MAX);
        debug_assert!(
            length <= 125,
            "a control frame has at most 125 bytes of payload (RFC 6455 section 5.5)"
        );
        [&[0x88, length], payload.as_slice()].concat().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_frame_carries_code_and_reason() {
        let frame = Closing::With(CloseCode::MessageTooBig).frame();
        assert_eq!(frame[..4], [0x88, 47, 0x03, 0xF1]);
        assert_eq!(&frame[4..], b"the message is larger than the server accepts");
    }

    #[test]
    fn the_reason_of_1001_begins_with_the_delay_before_reconnecting() {
        let retry_after = Duration::from_millis(1_250);
        let frame = Closing::With(CloseCode::GoingAway { retry_after }).frame();
        assert_eq!(frame[2..4], [0x03, 0xE9]);
        assert_eq!(&frame[4..], b"retry_after_ms=1250; the server is stopping");
    }

    #[test]
    fn an_echo_carries_only_the_clients_code() {
        assert_eq!(Closing::Echo(Some(4_999)).frame()[..], [0x88, 2, 0x13, 0x87]);
        assert_eq!(Closing::Echo(None).frame()[..], [0x88, 0]);
    }

    /// Every code once. `tests/house` compares the match in `number` with the documented table.
    const ALL: [CloseCode; 8] = [
        CloseCode::GoingAway { retry_after: Duration::MAX },
        CloseCode::ProtocolError,
        CloseCode::InvalidText,
        CloseCode::NotAllowed,
        CloseCode::MessageTooBig,
        CloseCode::TryAgainLater,
        CloseCode::TooFarBehind,
        CloseCode::NoPong,
    ];

    /// Returns the cells, from left to right, of each row of the table of close codes for clients.
    fn documented() -> Vec<[&'static str; 4]> {
        let text = include_str!("../../../docs/PROTOCOL.md");
        let (_, section) = text.split_once("\n## Close codes\n").unwrap();
        let section = section.split("\n## ").next().unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
        let rows = rows.map(|row| row.split(" | ").collect::<Vec<_>>().try_into().unwrap());
        rows.skip(1).collect()
    }

    #[test]
    fn the_documented_table_contains_exactly_these_codes() {
        let documented = documented();
        assert_eq!(documented.len(), ALL.len());
        for (code, [number, reason, when, reconnect]) in ALL.into_iter().zip(documented) {
            assert_eq!(number, code.number().to_string());
            let delay = Duration::MAX.as_millis().to_string();
            assert_eq!(reason, format!("`{}`", code.reason().replace(&delay, "<n>")));
            assert!(!when.is_empty());
            match code.number() {
                4000..4500 => assert!(reconnect.starts_with("yes"), "{number}"),
                4500..5000 => assert!(reconnect.starts_with("no"), "{number}"),
                _ => assert!(reconnect.starts_with("yes") || reconnect.starts_with("no")),
            }
        }
    }

    #[test]
    fn every_reason_fits_into_a_control_frame() {
        for code in ALL {
            let frame = Closing::With(code).frame();
            assert!(code.reason().len() <= 123, "{code:?}");
            assert_eq!(usize::from(frame[1]), frame.len() - 2);
        }
    }
}
