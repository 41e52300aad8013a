//! WebSocket: the upgrade, the guard before the decoder, the session, and the feed that sends.
//!
//! A connection is two halves. The *feed* is the HTTP response's body: it gives what is for this
//! client alone (pongs and complaints, which may overtake events), events from the connection's
//! cursor, and at the end the Close frame. The *session* is a task that reads what the client sends
//! and decides, without any I/O of its own, what is to follow. What is done with messages is behind
//! a seam, the *handler*: chat in the product, an echo for suites that test conformance.

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
