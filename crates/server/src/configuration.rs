//! Settings from built-in defaults, `northgate.toml`, `.env`, the environment, and flags. Each
//! source overrides the sources before it. Values are parsed into types once.

mod arguments;
mod error;
mod maintenance;
mod settings;
mod sources;
mod values;

pub use arguments::Loaded;
pub use error::ConfigurationError;
pub use settings::{
    BoardSection, ChatSection, CorsSection, GeneratorSection, HeartbeatSection, LogSection,
    MemorySection, ServerSection, Settings, StorageSection,
};
pub use values::{BoardName, ByteLimit, DataFolder, GeneratorInterval, GeneratorScenario};

use arguments::{Arguments, answer_or_error};
use clap::Parser;
use std::ffi::OsString;
use std::path::Path;

impl Settings {
    /// Reads the settings from `arguments` (the program's name first), `environment`, and the
    /// files `.env` and `northgate.toml` in `folder`, and from nothing else.
    ///
    /// An invalid value is an error even if a stronger source overrides the same setting.
    pub fn load(
        arguments: impl IntoIterator<Item = OsString>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        folder: &Path,
    ) -> Result<Loaded, ConfigurationError> {
        match Arguments::try_parse_from(arguments) {
            Ok(arguments) => arguments.ask(sources::gather(environment, folder)?),
            Err(error) => answer_or_error(&error),
        }
    }
}

#[cfg(test)]
mod page;
#[cfg(test)]
mod tests;
