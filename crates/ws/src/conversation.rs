//! The seam between the WebSocket protocol and what is said over it.

use crate::close::CloseCode;
use bytes::Bytes;
use bytestring::ByteString;
use std::future::Future;

/// What is done with what one client says. Control frames, limits on bytes, and the closing
/// handshake are the connection's own affair.
pub trait Conversation: 'static {
    /// Hears one message. The client is not read any further until its answer is there.
    fn hear(&mut self, said: Said) -> impl Future<Output = Answer>;
}

/// A whole message, its fragments together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A text message.
    Text(ByteString),
    /// A binary message.
    Binary(Bytes),
}

/// What follows from a message, for the client that sent it.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing.
    Nothing,
    /// This is sent to it, before any event that waits.
    Say(Said),
    /// It is closed.
    Close(CloseCode),
}
