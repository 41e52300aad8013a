//! HTTP: which URL there is, what each one does, and how every error is told.

mod answers;
mod body;
mod conditional;
mod content_coding;
mod controllers;
mod endpoint;
mod error;
mod event_stream;
mod head_error;
mod history;
mod idempotency;
pub mod middlewares;
mod openapi;
mod readiness;
mod routes;

pub use answers::AnswerBudget;
pub use body::BodyLimit;
pub use conditional::BadIfMatch;
pub use endpoint::Endpoint;
pub use error::ApiError;
pub use head_error::{HeadError, answer_to_bad_head};
pub use idempotency::BadKey;
pub use readiness::{NotReady, Readiness};
pub use routes::{ApiContext, configure};
