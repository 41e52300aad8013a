//! What is said in a conversation: the messages of a client, and what it is answered.

use crate::close::CloseCode;
use bytes::Bytes;
use bytestring::ByteString;

/// A whole message, its fragments together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// A text message.
    Text(ByteString),
    /// A binary message.
    Binary(Bytes),
}

/// What follows from a message, for the client that sent it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nothing.
    Nothing,
    /// This is sent to it, before any event that waits.
    Say(Said),
    /// It is closed.
    Close(CloseCode),
}
