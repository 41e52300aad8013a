//! The use cases: raising alerts, chatting, and the generator. They know the store as a port, and
//! nothing of HTTP, sockets or JSON.

mod alerts;
mod chat;
mod generator;
mod request_key;
mod submit;

pub use alerts::AlertService;
pub use chat::ChatService;
pub use generator::AlertGenerator;
/// Questions to the store, and the errors of their answers.
pub use northgate_storage::{
    AlertQuery, HistoryRange, MessageQuery, QueryError, Rejection, Snapshot, Unavailable,
};
pub use request_key::{RequestKey, RequestKeyError};
pub use submit::{Kept, SubmitError};
