//! The composition root: configuration, wiring, and the life cycle of a server from bind to exit.

mod application;
mod builder;
mod configuration;
mod connections;
mod exit;
mod maintenance;
mod open_files;
mod program;
mod signals;
mod sockets;
mod start_error;
mod stop_request;
mod stopping;
mod store;
mod supervisor;
mod system;
mod telemetry;
mod workers;

pub use application::Application;
pub use builder::{ApplicationBuilder, UseCases};
pub use configuration::{
    BoardName, BoardSection, ByteLimit, ChatSection, ConfigurationError, CorsSection, DataFolder,
    GeneratorInterval, GeneratorScenario, GeneratorSection, HeartbeatSection, Loaded, LogSection,
    MemorySection, ServerSection, Settings, StorageSection,
};
pub use exit::{NOT_DONE, PART_FAILED, RunError, WRONG_USAGE};
pub use maintenance::{Maintenance, MaintenanceCommand, MaintenanceError};
pub use open_files::TooFewFiles;
pub use program::run_program;
pub use start_error::StartError;
pub use stop_request::{Progress, StopRequest};
pub use supervisor::PartFailure;
pub use telemetry::log_panics;

/// Compiles the code of docs/EXTENDING.md.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/EXTENDING.md")]
struct ExtendingPage;
