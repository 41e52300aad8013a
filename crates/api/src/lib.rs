//! The HTTP interface: the addresses, their handlers, and the answers to all errors.

mod alert_id;
mod answers;
mod bad_head;
mod body;
mod conditional;
mod content_coding;
mod controllers;
mod endpoint;
mod error;
mod event_stream;
mod head_error;
mod headers;
mod history;
mod idempotency;
pub mod middlewares;
mod openapi;
mod readiness;
mod responses;
mod routes;

pub use answers::AnswerBudget;
pub use bad_head::answer_to_bad_head;
pub use body::BodyLimit;
pub use endpoint::Endpoint;
pub use error::ApiError;
pub use head_error::HeadError;
pub use headers::{BadIfMatch, BadKey};
pub use readiness::{NotReady, Readiness};
pub use routes::{ApiContext, configure};
