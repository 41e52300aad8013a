//! The composition root: configuration, wiring, and the life of a server from bind to exit.

mod application;
mod configuration;
mod connections;
mod exit;
mod maintenance;
mod open_files;
mod signals;
mod sockets;
mod stamps;
mod stop_request;
mod stopping;
mod store;
mod supervisor;
mod telemetry;

pub use application::{Application, StartError};
pub use configuration::{
    ByteLimit, ChatSection, ConfigurationError, CorsSection, DataFolder, GeneratorInterval,
    GeneratorSection, HeartbeatSection, Loaded, LogSection, MemorySection, ServerSection, Settings,
    StorageSection,
};
pub use exit::{NOT_DONE, PART_FAILED, RunError, WRONG_USAGE};
pub use maintenance::{Maintenance, MaintenanceCommand, MaintenanceError};
pub use open_files::{TooFewFiles, fit_open_files};
pub use signals::{Signals, survive_file_size_limit};
pub use stop_request::{Progress, StopRequest};
pub use supervisor::PartFailure;
pub use telemetry::{Outputs, log_panics, start_logging};
