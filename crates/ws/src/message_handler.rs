//! The interface between the WebSocket protocol and the handling of a client's messages.

use crate::close::CloseCode;
use bytes::Bytes;
use bytestring::ByteString;
use std::future::Future;

/// Handles the messages of one client. The connection itself handles control frames, size limits
/// and the closing handshake.
pub trait MessageHandler: 'static {
    /// Handles one message. Nothing more is read from the client until the reply is returned.
    fn handle(&mut self, message: ClientMessage) -> impl Future<Output = Reply>;
}

/// A complete message, with its fragments joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientMessage {
    /// A text message.
    Text(ByteString),
    /// A binary message.
    Binary(Bytes),
}

/// Effect of a message on the client that sent it.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// Send nothing.
    Nothing,
    /// Send this message, before any waiting event.
    Send(ClientMessage),
    /// Close the connection.
    Close(CloseCode),
}
