//! The use cases: raising alerts and acting on them, chatting, the timer that resolves overdue
//! alerts, and the generator. This crate uses the store through its port, and does not depend on
//! HTTP, sockets or JSON.

mod alerts;
mod chat;
mod connection_limiter;
mod generator;
mod lookup_error;
mod raise_coalescer;
mod request_key;
mod resolver;
mod scenario;
mod scenario_generator;
mod store_probe;
mod submit;

pub use alerts::{Acted, AlertService};
pub use chat::ChatService;
pub use connection_limiter::{
    ConnectionLimitReached, ConnectionLimiter, ConnectionLimits, ConnectionPermit,
};
pub use generator::AlertGenerator;
pub use lookup_error::LookupError;
pub use raise_coalescer::RaiseCoalescer;
pub use request_key::{RequestKey, RequestKeyError};
pub use resolver::{AlertResolver, QuietFor};
pub use scenario::{Scenario, ScenarioCommand, ScenarioError, Script};
pub use scenario_generator::ScenarioGenerator;
pub use store_probe::StoreProbe;
pub use submit::{SubmitError, Submitted};
