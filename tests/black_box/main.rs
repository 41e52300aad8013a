//! Black-box tests: each starts a server and sends raw JSON or raw bytes over real sockets.

mod bad_requests;
mod board;
mod browsers;
mod bulk_actions;
mod connection_limits;
mod connections;
mod contract;
mod documents;
mod event_streams;
mod fan_out;
mod history;
mod hostile_sockets;
mod idempotency;
mod large_answers;
mod lives;
mod protocol;
mod resume;
mod shapes;
mod slow_requests;
mod stopping;
mod timelines;
