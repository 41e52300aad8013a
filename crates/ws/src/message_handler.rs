//! The seam between the WebSocket protocol and what a client says over it.

use crate::close::CloseCode;
use bytes::Bytes;
use bytestring::ByteString;
use std::future::Future;

/// What is done with what one client says. Control frames, limits on bytes, and the closing
/// handshake are the connection's own affair.
pub trait MessageHandler: 'static {
    /// Hears one message. The client is not read any further until its answer is there.
    fn handle(&mut self, message: ClientMessage) -> impl Future<Output = Reply>;
}

/// A whole message, its fragments together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientMessage {
    /// A text message.
    Text(ByteString),
    /// A binary message.
    Binary(Bytes),
}

/// What follows from a message, for the client that sent it.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing.
    Nothing,
    /// This is sent to it, before any event that waits.
    Send(ClientMessage),
    /// It is closed.
    Close(CloseCode),
}
