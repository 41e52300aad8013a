//! The test kit for integration tests: clients for raw bytes, test servers, commands and a clock.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "for tests only: a failed expectation is the point, and servers run in real time"
)]

mod client;
mod commands;
mod connection;
mod event_stream;
mod http;
mod own_process;
mod patience;
mod process;
mod raw_socket;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod stores;
mod websocket;

pub use client::{Client, JSON};
pub use commands::{act, act_on_alert, alert_of, keyed, raise, raise_alert, raise_at, say};
pub use connection::{connect, free_address, try_connect};
pub use event_stream::{EventStream, Record};
pub use http::{HttpResponse, read_head, read_response};
pub use northgate_storage::laws::ManualClock;
pub use own_process::{open_files, resident_kib};
pub use patience::{Attempt, EXIT_DEADLINE, PATIENCE, eventually, eventually_within, is_full_run};
pub use process::{Process, ProcessBuilder, ProcessOutput};
pub use raw_socket::{RawSocket, UPGRADE};
#[cfg(feature = "server")]
pub use server::TestServer;
#[cfg(feature = "server")]
pub use stores::set_window;
pub use tungstenite::Message;
pub use websocket::WebSocket;
