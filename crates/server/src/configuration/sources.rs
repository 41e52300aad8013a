//! Settings from the files in the working directory and from the environment.

use super::error::{ConfigurationError, one_line};
use super::settings::Settings;
use config::builder::DefaultState;
use config::{Config, ConfigBuilder, ConfigError, Environment, File, FileFormat};
use std::borrow::Cow;
use std::ffi::OsString;
use std::io;
use std::path::Path;

/// Name of the settings file in the working directory.
pub(super) const FILE: &str = "northgate.toml";
/// Name of the file in the working directory that adds variables to the environment.
pub(super) const DOT_ENV: &str = ".env";

/// First part of the name of each variable of this server: `NORTHGATE__SECTION__KEY`.
const PREFIX: &str = "NORTHGATE";
/// Separator between the parts of a variable's name.
const SEPARATOR: &str = "__";

/// The variables that the former Python service read, and the setting that each sets now.
const LEGACY: [(&str, &str); 4] = [
    ("CORS_ORIGINS_ALLOWED", "cors.origins"),
    ("CORS_METHODS_ALLOWED", "cors.methods"),
    ("CORS_HEADERS_ALLOWED", "cors.headers"),
    ("CORS_CREDENTIAL", "cors.credentials"),
];

/// Reads the settings from `environment`, and from the files `.env` and `northgate.toml` in
/// `folder`.
pub(super) fn gather(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    folder: &Path,
) -> Result<Settings, ConfigurationError> {
    let mut layers = Config::builder();
    if let Some(file) = toml_file(folder)? {
        layers = layers.add_source(file);
    }
    let here = environment.into_iter().filter_map(|(name, value)| {
        // A name that is not Unicode cannot be a variable of this server.
        Some((name.into_string().ok()?, value))
    });
    for (variables, place) in [(dot_env(folder)?, " in .env"), (here.collect(), "")] {
        for variable in settings_in(variables, place)? {
            layers = layers.add_source(variable);
        }
    }
    let layered = layers.build().and_then(Config::try_deserialize);
    layered.map_err(|error| wrong("settings", reason_of(&error)))
}

/// Builds the values of one source, and checks that they are valid settings on their own.
fn checked(builder: ConfigBuilder<DefaultState>) -> Result<Config, ConfigError> {
    let values = builder.build()?;
    values.clone().try_deserialize::<Settings>()?;
    Ok(values)
}

/// Returns the values of `northgate.toml`, or `None` if there is no such file.
fn toml_file(folder: &Path) -> Result<Option<Config>, ConfigurationError> {
    let Some(text) = text_of(folder, FILE)? else { return Ok(None) };
    let file = Config::builder().add_source(File::from_str(&text, FileFormat::Toml));
    checked(file).map(Some).map_err(|error| {
        let key = key_of(&error).map(|key| format!(": {key}")).unwrap_or_default();
        wrong(&format!("{FILE}{key}"), reason_of(&error))
    })
}

/// Returns the variables of `.env`; none if there is no such file.
fn dot_env(folder: &Path) -> Result<Vec<(String, OsString)>, ConfigurationError> {
    let text = text_of(folder, DOT_ENV)?.unwrap_or_default();
    let text: String = text.lines().map(|line| quoted(line) + "\n").collect();
    dotenvy::from_read_iter(text.as_bytes())
        .map(|line| line.map(|(name, value)| (name, value.into())))
        .collect::<Result<_, _>>()
        .map_err(|error| {
            let place = place_in(&text, &error).unwrap_or_else(|| DOT_ENV.to_owned());
            wrong(&place, "the line is not NAME=value, or a quote is not closed".to_owned())
        })
}

/// Adds quotes around a value of `.env` that contains spaces, tabs or backslashes. Files of the
/// former Python service have such values without quotes (`CORS_METHODS_ALLOWED=GET, POST`).
fn quoted(line: &str) -> Cow<'_, str> {
    let bare = |value: &str| {
        value.contains([' ', '\t', '\\']) && !value.contains('\'') && !value.starts_with(['"', '#'])
    };
    match line.split_once('=') {
        Some((name, value)) if !name.trim_start().starts_with('#') => {
            let (value, comment) = value.split_once(" #").unwrap_or((value, ""));
            if bare(value.trim()) {
                format!("{name}='{}' #{comment}", value.trim()).into()
            } else {
                line.into()
            }
        }
        _ => line.into(),
    }
}

/// Returns the number of the invalid line of `.env` and the variable's name. The value is left out,
/// because it may be a secret of another program. The library reports the text that it could not
/// parse, but not the line number, so this function searches for the line that contains that text.
fn place_in(text: &str, error: &dotenvy::Error) -> Option<String> {
    let dotenvy::Error::LineParse(part, _) = error else { return None };
    let part = part.lines().next().map(str::trim).filter(|part| !part.is_empty())?;
    let mut lines = (1..).zip(text.lines());
    let is_it = |line: &str| line.contains(part) && !line.trim_start().starts_with('#');
    let (number, line) = lines.find(|(_, line)| is_it(line))?;
    let name = line.split_once('=').map(|(name, _)| format!(": {}", name.trim()));
    Some(format!("{DOT_ENV}, line {number}{}", name.unwrap_or_default()))
}

/// Returns one layer of configuration per known variable. The legacy names come first, so that a
/// `NORTHGATE__…` variable in the same source overrides a legacy one.
fn settings_in(
    variables: Vec<(String, OsString)>,
    place: &str,
) -> Result<Vec<Config>, ConfigurationError> {
    let prefix = [PREFIX, SEPARATOR].concat();
    let is_ours = |name: &str| name.to_ascii_uppercase().starts_with(&prefix);
    let legacy = |name: &str| LEGACY.iter().find(|(old, _)| *old == name).map(|(_, key)| *key);
    let mut known: Vec<_> =
        variables.into_iter().filter(|(name, _)| is_ours(name) || legacy(name).is_some()).collect();
    known.sort_by_key(|(name, _)| is_ours(name));
    let one = |(name, value): (String, OsString)| {
        let value = value.into_string().map_err(|_| "the value is not Unicode text".to_owned());
        value
            .and_then(|value| one_variable(legacy(&name), &name, value))
            .map_err(|reason| wrong(&format!("{name}{place}"), reason))
    };
    known.into_iter().map(one).collect()
}

/// Returns the setting of one variable, or the reason why the variable is invalid. Without `key`,
/// the variable's name determines the setting.
fn one_variable(key: Option<&str>, name: &str, value: String) -> Result<Config, String> {
    let values = if let Some(key) = key {
        Config::builder().set_override(key, value).and_then(checked)
    } else {
        let variable = Environment::with_prefix(PREFIX)
            .prefix_separator(SEPARATOR)
            .separator(SEPARATOR)
            .source(Some([(name.to_owned(), value)].into()));
        checked(Config::builder().add_source(variable))
    };
    values.map_err(|error| reason_of(&error))
}

/// Returns the text of a file without a byte order mark, which some editors add; `None` if there is
/// no such file.
fn text_of(folder: &Path, name: &str) -> Result<Option<String>, ConfigurationError> {
    match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => Ok(Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrong(name, error.to_string())),
    }
}

fn wrong(place: &str, reason: String) -> ConfigurationError {
    ConfigurationError::Setting { place: one_line(place), reason }
}

fn key_of(error: &ConfigError) -> Option<&str> {
    match error {
        ConfigError::At { key, .. } | ConfigError::Type { key, .. } => key.as_deref(),
        _ => None,
    }
}

/// Describes the problem in one line, without the key and without an excerpt of the file.
fn reason_of(error: &ConfigError) -> String {
    match error {
        ConfigError::At { error, .. } => reason_of(error),
        ConfigError::Type { unexpected, expected, .. } => {
            format!("found {unexpected}, expected {expected}")
        }
        ConfigError::FileParse { cause, .. } => {
            let text = cause.to_string();
            let mut lines = text.lines().filter(|line| !line.trim().is_empty());
            match (lines.next(), lines.next_back()) {
                (Some(place), Some(reason)) => format!("{place}: {reason}"),
                (only, _) => only.unwrap_or_default().to_owned(),
            }
        }
        _ => one_line(&error.to_string()),
    }
}
