//! The use cases: raising alerts and acting on them, chatting, the timer that ends alerts, and the generator. They know the store as a port, and
//! nothing of HTTP, sockets or JSON.

mod alerts;
mod chat;
mod connection_limiter;
mod generator;
mod raise_coalescer;
mod request_key;
mod resolver;
mod submit;

pub use alerts::{Acted, AlertService};
pub use chat::ChatService;
pub use connection_limiter::{
    ConnectionLimitReached, ConnectionLimiter, ConnectionLimits, ConnectionPermit,
};
pub use generator::AlertGenerator;
/// Questions to the store, and the errors of their answers.
pub use northgate_storage::{
    AlertQuery, HistoryRange, MessageQuery, QueryError, Rejection, Snapshot, StoreHealth, Summary,
    Unavailable,
};
pub use raise_coalescer::RaiseCoalescer;
pub use request_key::{RequestKey, RequestKeyError};
pub use resolver::{AlertResolver, QuietFor};
pub use submit::{SubmitError, Submitted};
