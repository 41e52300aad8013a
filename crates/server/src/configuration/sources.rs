//! Gathering settings from where they may stand.

use super::Settings;
use super::arguments::{Arguments, Loaded};
use clap::Parser;
use clap::error::{ContextKind, ErrorKind};
use config::builder::DefaultState;
use config::{Config, ConfigBuilder, ConfigError, Environment, File, FileFormat};
use std::borrow::Cow;
use std::error::Error as _;
use std::ffi::OsString;
use std::io;
use std::path::Path;

/// The file in the working directory.
const FILE: &str = "northgate.toml";
/// The file in the working directory that adds to the environment.
const DOT_ENV: &str = ".env";

/// What our names in the environment begin with: `NORTHGATE__SECTION__KEY`.
const PREFIX: &str = "NORTHGATE";
/// What stands between the parts of our names.
const SEPARATOR: &str = "__";

/// The names that the Python service read, and the settings that they mean now.
const LEGACY: [(&str, &str); 4] = [
    ("CORS_ORIGINS_ALLOWED", "cors.origins"),
    ("CORS_METHODS_ALLOWED", "cors.methods"),
    ("CORS_HEADERS_ALLOWED", "cors.headers"),
    ("CORS_CREDENTIAL", "cors.credentials"),
];

/// Why there are no settings; in one line, and naming the setting.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The command line is wrong.
    #[error("{0} (see northgate --help)")]
    Arguments(String),
    /// A file, or a variable of the environment, says something that is not a setting.
    #[error("{place}: {reason}")]
    Setting {
        /// The file or the variable, and the place in it.
        place: String,
        /// What is wrong there.
        reason: String,
    },
}

impl Settings {
    /// Reads the settings from `arguments` (the program's name first), `environment`, and the
    /// files `.env` and `northgate.toml` in `folder`. Nothing else is looked at.
    ///
    /// What is wrong is an error even where something stronger says the same setting again.
    pub fn load(
        arguments: impl IntoIterator<Item = OsString>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        folder: &Path,
    ) -> Result<Loaded, ConfigurationError> {
        let arguments = match Arguments::try_parse_from(arguments) {
            Ok(arguments) => arguments,
            Err(error) => return answer_or_error(&error),
        };
        let mut layers = Config::builder();
        if let Some(file) = toml_file(folder)? {
            layers = layers.add_source(file);
        }
        let here = environment.into_iter().filter_map(|(name, value)| {
            // A name that is no Unicode is none of ours.
            Some((name.into_string().ok()?, value))
        });
        for (variables, place) in [(dot_env(folder)?, " in .env"), (here.collect(), "")] {
            for variable in settings_in(variables, place)? {
                layers = layers.add_source(variable);
            }
        }
        let layered = layers.build().and_then(Config::try_deserialize::<Self>);
        let settings = layered.map_err(|error| wrong("settings", reason_of(&error)))?;
        arguments.ask(settings)
    }
}

/// What stands in one place, if it would do by itself.
fn checked(builder: ConfigBuilder<DefaultState>) -> Result<Config, ConfigError> {
    let values = builder.build()?;
    values.clone().try_deserialize::<Settings>()?;
    Ok(values)
}

fn answer_or_error(error: &clap::Error) -> Result<Loaded, ConfigurationError> {
    let line = match (error.kind(), error.get(ContextKind::InvalidArg), error.source()) {
        (ErrorKind::DisplayHelp | ErrorKind::DisplayVersion, ..) => {
            return Ok(Loaded::Answer(error.to_string()));
        }
        (ErrorKind::ValueValidation, Some(flag), Some(reason)) => format!("{flag}: {reason}"),
        _ => {
            let text = error.to_string();
            let (message, _usage) = text.split_once("\n\n").unwrap_or((&text, ""));
            one_line(message.trim_start_matches("error: "))
        }
    };
    Err(ConfigurationError::Arguments(line))
}

/// What `northgate.toml` says, if it is there.
fn toml_file(folder: &Path) -> Result<Option<Config>, ConfigurationError> {
    let Some(text) = text_of(folder, FILE)? else { return Ok(None) };
    let file = Config::builder().add_source(File::from_str(&text, FileFormat::Toml));
    checked(file).map(Some).map_err(|error| {
        let key = key_of(&error).map(|key| format!(": {key}")).unwrap_or_default();
        wrong(&format!("{FILE}{key}"), reason_of(&error))
    })
}

/// What `.env` adds to the environment, if it is there.
fn dot_env(folder: &Path) -> Result<Vec<(String, OsString)>, ConfigurationError> {
    let text = text_of(folder, DOT_ENV)?.unwrap_or_default();
    let text: String = text.lines().map(|line| quoted(line) + "\n").collect();
    dotenvy::from_read_iter(text.as_bytes())
        .map(|line| line.map(|(name, value)| (name, value.into())))
        .collect::<Result<_, _>>()
        .map_err(|error| {
            let place = place_in(&text, &error).unwrap_or_else(|| DOT_ENV.to_owned());
            wrong(&place, "a line is NAME=value, and quotes come in pairs".to_owned())
        })
}

/// A line of `.env` with quotes around a value that has spaces or backslashes in it: such files
/// were written for a library that wants none there (`CORS_METHODS_ALLOWED=GET, POST`).
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

/// The line of `.env`, and the name that it sets: never the value, which may be a secret of
/// another program. The library tells what it did not understand, and not where that stands.
fn place_in(text: &str, error: &dotenvy::Error) -> Option<String> {
    let dotenvy::Error::LineParse(part, _) = error else { return None };
    let part = part.lines().next().map(str::trim).filter(|part| !part.is_empty())?;
    let mut lines = (1..).zip(text.lines());
    let is_it = |line: &str| line.contains(part) && !line.trim_start().starts_with('#');
    let (number, line) = lines.find(|(_, line)| is_it(line))?;
    let name = line.split_once('=').map(|(name, _)| format!(": {}", name.trim()));
    Some(format!("{DOT_ENV}, line {number}{}", name.unwrap_or_default()))
}

/// One piece of configuration for every variable that sets something, the older names first: a
/// name of ours in the same place wins over them.
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

/// What one variable sets (`key`, or else what its name says), or what is wrong with it.
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

fn text_of(folder: &Path, name: &str) -> Result<Option<String>, ConfigurationError> {
    match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => Ok(Some(text)),
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

/// What is wrong, in one line, without the key and without a picture of the file.
fn reason_of(error: &ConfigError) -> String {
    match error {
        ConfigError::At { error, .. } => reason_of(error),
        ConfigError::Type { unexpected, expected, .. } => {
            format!("{unexpected} is given where {expected} is expected")
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

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    /// Loads from files in a folder of their own, the environment, and flags.
    fn load(
        files: &[(&str, &str)],
        environment: &[(&str, &str)],
        flags: &[&str],
    ) -> Result<Settings, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let arguments = ["northgate"].iter().chain(flags).map(OsString::from);
        let environment = environment.iter().map(|(name, value)| (name.into(), value.into()));
        match Settings::load(arguments, environment, folder.path()) {
            Ok(Loaded::Settings(settings)) => Ok(*settings),
            Ok(other) => panic!("no settings: {other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn each_source_wins_over_the_one_before() {
        const NAME: &str = "NORTHGATE__MEMORY__EVENTS";
        let toml = (FILE, "[memory]\nevents = 1\nalerts = 11\n[server]\nport = 7000\n");
        let dot_env = (DOT_ENV, "NORTHGATE__MEMORY__EVENTS=2\nNORTHGATE__MEMORY__ALERTS=22\n");
        let events = |files: &[_], environment: &[_], flags: &[_]| {
            load(files, environment, flags).unwrap().memory.events.get()
        };
        assert_eq!(events(&[], &[], &[]), 10_000);
        assert_eq!(events(&[toml], &[], &[]), 1);
        assert_eq!(events(&[toml, dot_env], &[], &[]), 2);
        assert_eq!(events(&[toml, dot_env], &[(NAME, "3")], &[]), 3);
        assert_eq!(events(&[toml, dot_env], &[(NAME, "3")], &["--memory-events=4"]), 4);
        let all = load(&[toml, dot_env], &[(NAME, "3")], &[]).unwrap();
        assert_eq!((all.memory.alerts, all.server.port), (NonZeroUsize::new(22).unwrap(), 7000));
    }

    #[test]
    fn limits_have_defaults_and_are_set_from_every_source() {
        let limits = |files: &[_], environment: &[_], flags: &[_]| {
            let settings = load(files, environment, flags).unwrap();
            let seats = settings.server.seat_limits();
            let seconds = settings.server.request_timeout.0.as_secs();
            let chat = (settings.chat.rate.get(), settings.chat.burst.get());
            (seats.total, seats.per_address, seconds, chat)
        };
        assert_eq!(limits(&[], &[], &[]), (15_000, 500, 10, (20, 100)));
        let toml = "[server]\nmax_connections = 1\nmax_connections_per_address = 2\n\
            request_timeout = '3s'\n[chat]\nrate = 4\nburst = 5\n";
        assert_eq!(limits(&[(FILE, toml)], &[], &[]), (1, 2, 3, (4, 5)));
        let environment = [
            ("NORTHGATE__SERVER__MAX_CONNECTIONS", "11"),
            ("NORTHGATE__SERVER__MAX_CONNECTIONS_PER_ADDRESS", "12"),
            ("NORTHGATE__SERVER__REQUEST_TIMEOUT", "13s"),
            ("NORTHGATE__CHAT__RATE", "14"),
            ("NORTHGATE__CHAT__BURST", "15"),
        ];
        assert_eq!(limits(&[(FILE, toml)], &environment, &[]), (11, 12, 13, (14, 15)));
        let flags = [
            "--max-connections=21",
            "--max-connections-per-address=22",
            "--request-timeout=23s",
            "--chat-rate=24",
            "--chat-burst=25",
        ];
        assert_eq!(limits(&[], &environment, &flags), (21, 22, 23, (24, 25)));
    }

    #[test]
    fn the_names_of_the_python_service_still_set_cors() {
        let dot_env = "CORS_ORIGINS_ALLOWED='https://a.test, https://b.test'\nCORS_CREDENTIAL=True";
        let here = [("CORS_METHODS_ALLOWED", "GET, POST"), ("CORS_HEADERS_ALLOWED", "*")];
        let cors = load(&[(DOT_ENV, dot_env)], &here, &[]).unwrap().cors;
        assert_eq!(cors.origins.listed(), ["https://a.test", "https://b.test"]);
        assert_eq!(cors.methods.listed().unwrap(), ["GET", "POST"]);
        assert_eq!(cors.headers.listed(), None);
        assert!(cors.credentials);
    }

    #[test]
    fn a_name_of_ours_wins_over_an_older_one_in_the_same_place_only() {
        let both =
            [("NORTHGATE__CORS__ORIGINS", "http://new"), ("CORS_ORIGINS_ALLOWED", "http://old")];
        assert_eq!(load(&[], &both, &[]).unwrap().cors.origins.listed(), ["http://new"]);
        let ours_in_file = [(DOT_ENV, "NORTHGATE__CORS__ORIGINS=http://new")];
        let origins = load(&ours_in_file, &both[1..], &[]).unwrap().cors.origins;
        assert_eq!(origins.listed(), ["http://old"]);
    }

    #[test]
    fn a_list_may_be_a_text_with_commas_everywhere() {
        for text in ["public_host = ['a', 'b:1']", "public_host = 'a, b:1,'"] {
            let toml = format!("[server]\n{text}");
            let settings = load(&[(FILE, &toml)], &[], &[]).unwrap();
            assert_eq!(settings.server.public_host.names(), ["a", "b:1"]);
        }
        let empty = load(&[], &[("NORTHGATE__SERVER__PUBLIC_HOST", "")], &[]).unwrap();
        assert!(empty.server.public_host.names().is_empty());
    }

    #[test]
    fn what_is_wrong_in_the_file_is_named_by_its_key() {
        let wrong = |toml| load(&[(FILE, toml)], &[], &[]).unwrap_err();
        assert_eq!(
            wrong("[server]\nport = 1.5"),
            "northgate.toml: server.port: \"1.5\" is not a port, which is a number from 0 to 65535"
        );
        assert_eq!(
            wrong("[log]\nlevl = 1"),
            "northgate.toml: log: unknown field `levl`, expected `level`"
        );
        assert_eq!(
            wrong("server = 1"),
            "northgate.toml: server: invalid type: integer `1`, expected a group of settings"
        );
        assert_eq!(
            wrong("[server]\nport"),
            "northgate.toml: TOML parse error at line 2, column 5: key with no value, expected `=`"
        );
    }

    #[test]
    fn what_is_wrong_in_a_variable_is_named_by_the_variable() {
        let wrong = |name, value| load(&[], &[(name, value)], &[]).unwrap_err();
        assert_eq!(
            wrong("NORTHGATE__MEMORY__KEYS", "1.5"),
            "NORTHGATE__MEMORY__KEYS: \"1.5\" is not a whole number, 1 or more"
        );
        assert_eq!(
            wrong("NORTHGATE__LOG__LEVL", "info"),
            "NORTHGATE__LOG__LEVL: unknown field `levl`, expected `level`"
        );
        assert_eq!(
            wrong("CORS_METHODS_ALLOWED", "GET,P OST"),
            "CORS_METHODS_ALLOWED: \"P OST\" is not a name that HTTP allows there, or *"
        );
        assert_eq!(wrong("CORS_CREDENTIAL", "2"), "CORS_CREDENTIAL: \"2\" is not true or false");
        let in_file = load(&[(DOT_ENV, "CORS_CREDENTIAL=2")], &[], &[]).unwrap_err();
        assert_eq!(in_file, "CORS_CREDENTIAL in .env: \"2\" is not true or false");
    }

    #[test]
    fn what_is_wrong_in_a_lower_source_is_wrong_even_if_a_higher_one_says_it_again() {
        let environment = [("NORTHGATE__SERVER__PORT", "x")];
        let error = load(&[], &environment, &["--port=0"]).unwrap_err();
        assert!(error.starts_with("NORTHGATE__SERVER__PORT: "), "{error}");
    }

    #[test]
    fn a_value_of_dot_env_may_have_spaces_without_quotes() {
        let text = "OTHER=two words\nCORS_METHODS_ALLOWED=GET, POST # and no more\nPATHS=C:\\x\n\
            CORS_HEADERS_ALLOWED=\"X-A, X-B\"\n#CORS_CREDENTIAL=a b\nCORS_CREDENTIAL = true";
        let cors = load(&[(DOT_ENV, text)], &[], &[]).unwrap().cors;
        assert_eq!(cors.methods.listed().map(|methods| methods.len()), Some(2));
        assert_eq!(cors.headers.listed().map(|headers| headers.len()), Some(2));
        assert!(cors.credentials);
    }

    #[test]
    fn a_broken_line_of_dot_env_is_named_and_its_value_is_not_told() {
        let wrong = |text| load(&[(DOT_ENV, text)], &[], &[]).unwrap_err();
        let reason = "a line is NAME=value, and quotes come in pairs";
        for (text, place) in [
            ("secret", ".env, line 1"),
            ("A=1\n# B=secret word\nB=it's a secret # why", ".env, line 3: B"),
            ("A=1\r\nB='secret", ".env, line 2: B"),
            ("B=\"secret\nword", ".env, line 1: B"),
            ("TWO WORDS=secret", ".env, line 1: TWO WORDS"),
        ] {
            assert_eq!(wrong(text), format!("{place}: {reason}"), "{text:?}");
        }
    }

    #[test]
    fn a_wrong_flag_is_named_in_one_line() {
        let wrong = |flags: &[_]| load(&[], &[], flags).unwrap_err();
        let hint = "(see northgate --help)";
        assert_eq!(
            wrong(&["--memory-keys", "a\n\nb"]),
            format!("--memory-keys <COUNT>: \"a\\n\\nb\" is not a whole number, 1 or more {hint}")
        );
        assert_eq!(wrong(&["--prot", "1"]), format!("unexpected argument '--prot' found {hint}"));
        assert_eq!(
            wrong(&["--port"]),
            format!("a value is required for '--port <PORT>' but none was supplied {hint}")
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_of_ours_that_is_no_unicode_is_wrong_and_others_are_left_alone() {
        use std::os::unix::ffi::OsStringExt;
        let load = |name: &str| {
            let variable = (OsString::from(name), OsString::from_vec(vec![0xFF]));
            let folder = tempfile::tempdir().unwrap();
            Settings::load(["northgate".into()], [variable], folder.path())
        };
        let error = load("NORTHGATE__SERVER__HOST").unwrap_err().to_string();
        assert_eq!(error, "NORTHGATE__SERVER__HOST: the value is not Unicode text");
        assert!(load("OTHER").is_ok());
    }
}
