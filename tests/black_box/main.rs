//! Northgate from the outside: raw JSON and raw bytes over real sockets.

mod bad_requests;
mod browsers;
mod contract;
mod documents;
mod fan_out;
mod hostile_sockets;
mod protocol;
mod stopping;
