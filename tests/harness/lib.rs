//! What black-box tests speak with: a server on a free port, and clients that show raw bytes.

mod event_stream;
mod http;
mod raw_socket;
mod server;
mod socket;

pub use event_stream::{EventStream, Record};
pub use http::{Answer, connect};
pub use raw_socket::RawSocket;
pub use server::TestServer;
pub use socket::Socket;

use std::time::Duration;

/// How long a test waits for what must come. Never waited for in vain by a test that passes.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Reads one answer from a connection that the test wrote to by itself.
pub fn read_answer(stream: &mut std::net::TcpStream) -> Answer {
    http::read_answer(stream, false)
}

/// Reads an answer that has a head alone.
pub fn read_head(stream: &mut std::net::TcpStream) -> Answer {
    http::read_answer(stream, true)
}
