//! The use cases: raising alerts, chatting, and the generator. They know the store as a port, and
//! nothing of HTTP, sockets or JSON.

mod alerts;
mod chat;
mod generator;
mod submit;

pub use alerts::AlertService;
pub use chat::ChatService;
pub use generator::AlertGenerator;
/// The error of every question to the store.
pub use northgate_storage::Unavailable;
pub use submit::SubmitError;
