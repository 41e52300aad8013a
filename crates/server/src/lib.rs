//! The composition root: configuration, wiring, and the life of a server from bind to exit.

mod application;
mod configuration;
mod connections;
mod heads;
mod open_files;
mod sockets;
mod stamps;
mod stopping;
mod store;
mod telemetry;
mod work;

pub use application::{Application, StartError};
pub use configuration::{
    ByteLimit, ChatSection, ConfigurationError, CorsSection, DataFolder, GeneratorInterval,
    GeneratorSection, HeartbeatSection, Loaded, LogSection, MemorySection, ServerSection, Settings,
    StorageSection,
};
pub use open_files::fit_open_files;
pub use telemetry::{log_panics, start_logging};
pub use work::{Task, Work, WorkError};
