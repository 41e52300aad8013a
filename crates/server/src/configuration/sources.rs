//! Gathering settings from where they may stand.

use super::Settings;
use super::arguments::Arguments;
use clap::Parser;
use clap::error::ErrorKind;
use config::{Config, ConfigBuilder, Environment, File, builder::DefaultState};
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;

/// The file in the working directory.
const FILE: &str = "northgate.toml";

/// The names that the Python service read, and the settings that they mean now.
const LEGACY_LISTS: [(&str, &str); 3] = [
    ("CORS_ORIGINS_ALLOWED", "cors.origins"),
    ("CORS_METHODS_ALLOWED", "cors.methods"),
    ("CORS_HEADERS_ALLOWED", "cors.headers"),
];
const LEGACY_CREDENTIAL: (&str, &str) = ("CORS_CREDENTIAL", "cors.credentials");

/// Lists that may stand in the environment, separated by commas.
const LISTS: [&str; 4] = ["server.public_host", "cors.origins", "cors.methods", "cors.headers"];

/// What the command line and everything behind it ask for.
#[derive(Debug)]
pub enum Loaded {
    /// A server with these settings.
    Settings(Box<Settings>),
    /// An answer on standard output and nothing else: help, or the version.
    Answer(String),
}

/// Why there are no settings; in one line, and naming the setting.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The command line is wrong.
    #[error("{0} (see northgate --help)")]
    Arguments(String),
    /// The `.env` file cannot be read.
    #[error(".env: {0}")]
    DotEnv(String),
    /// The file or the environment says something that is not a setting.
    #[error("{0}")]
    Setting(String),
    /// A setting of the Python service has a wrong value.
    #[error("{name}: {given:?} is not a boolean; use true or false")]
    Boolean {
        /// The name in the environment.
        name: &'static str,
        /// What was given.
        given: String,
    },
}

impl Settings {
    /// Reads the settings from `arguments` (the program's name first), `environment`, and the
    /// files `.env` and `northgate.toml` in `folder`. Nothing else is looked at.
    pub fn load(
        arguments: impl IntoIterator<Item = OsString>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        folder: &Path,
    ) -> Result<Loaded, ConfigurationError> {
        let arguments = match Arguments::try_parse_from(arguments) {
            Ok(arguments) => arguments,
            Err(error) => return answer_or_error(&error),
        };
        let environment = with_dot_env(environment, folder)?;
        let file = File::from(folder.join(FILE)).required(false);
        let builder = Config::builder().add_source(file);
        let builder = add_legacy(builder, &environment)?;
        let mut settings: Self = builder
            .add_source(ours(environment))
            .build()
            .and_then(Config::try_deserialize)
            .map_err(|error| ConfigurationError::Setting(one_line(&error.to_string())))?;
        arguments.apply(&mut settings);
        Ok(Loaded::Settings(Box::new(settings)))
    }
}

fn answer_or_error(error: &clap::Error) -> Result<Loaded, ConfigurationError> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(Loaded::Answer(error.to_string())),
        _ => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            Err(ConfigurationError::Arguments(line.trim_start_matches("error: ").to_owned()))
        }
    }
}

/// The environment, with what `.env` adds to it. Names and values that are no Unicode are none of
/// ours.
fn with_dot_env(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    folder: &Path,
) -> Result<HashMap<String, String>, ConfigurationError> {
    let mut variables = HashMap::new();
    match dotenvy::from_path_iter(folder.join(".env")) {
        Ok(lines) => {
            for line in lines {
                let (name, value) = line.map_err(|e| ConfigurationError::DotEnv(e.to_string()))?;
                variables.insert(name, value);
            }
        }
        Err(error) if error.not_found() => {}
        Err(error) => return Err(ConfigurationError::DotEnv(error.to_string())),
    }
    let unicode = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    variables.extend(environment.into_iter().filter_map(unicode));
    Ok(variables)
}

/// `NORTHGATE__SECTION__KEY`.
fn ours(environment: HashMap<String, String>) -> Environment {
    let environment = Environment::with_prefix("NORTHGATE")
        .prefix_separator("__")
        .separator("__")
        .try_parsing(true)
        .list_separator(",")
        .source(Some(environment));
    LISTS.into_iter().fold(environment, Environment::with_list_parse_key)
}

fn add_legacy(
    builder: ConfigBuilder<DefaultState>,
    environment: &HashMap<String, String>,
) -> Result<ConfigBuilder<DefaultState>, ConfigurationError> {
    let mut legacy = Config::builder();
    let internal = |error: config::ConfigError| ConfigurationError::Setting(error.to_string());
    for (name, setting) in LEGACY_LISTS {
        if let Some(list) = environment.get(name) {
            let items: Vec<_> =
                list.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
            legacy = legacy.set_override(setting, items).map_err(internal)?;
        }
    }
    let (name, setting) = LEGACY_CREDENTIAL;
    if let Some(given) = environment.get(name) {
        let value = match given.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => true,
            "false" | "0" | "no" | "off" | "" => false,
            _ => return Err(ConfigurationError::Boolean { name, given: given.clone() }),
        };
        legacy = legacy.set_override(setting, value).map_err(internal)?;
    }
    Ok(builder.add_source(legacy.build().map_err(internal)?))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
