//! WebSocket connections: the upgrade, the frame guard, the reading half and the sending half.
//!
//! A connection has two halves. The *sending half*, `outgoing_body`, is the body of the HTTP
//! response: pongs and replies (which may overtake events), events from the connection's cursor,
//! and finally the Close frame. The *reading half*, `connection`, is a task that reads the client's
//! frames; `session` decides the reaction to each frame without I/O. A [`MessageHandler`] processes
//! the messages: chat in the product, an echo for conformance suites.

mod chat;
mod close;
mod connection;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod heartbeat;
mod limit;
mod message_handler;
mod outgoing_body;
mod scanner;
mod session;
mod upgrade;

pub use close::CloseCode;
pub use heartbeat::HeartbeatSettings;
pub use limit::ChatLimitSettings;
pub use message_handler::{ClientMessage, MessageHandler, Reply};
pub use upgrade::{SocketContext, UpgradeError, upgrade, upgrade_with};
