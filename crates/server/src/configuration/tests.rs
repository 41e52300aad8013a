//! Tests of the sources of settings, their order, and the errors for invalid values.

use super::sources::{DOT_ENV, FILE};
use super::*;
use std::num::NonZeroUsize;

/// Loads settings from files in a new folder, the environment, and flags.
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
fn each_source_overrides_the_sources_before_it() {
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
fn a_byte_order_mark_at_the_beginning_of_a_file_is_skipped() {
    let toml = (FILE, "\u{feff}[memory]\nalerts = 11\n");
    let dot_env = (DOT_ENV, "\u{feff}NORTHGATE__MEMORY__EVENTS=2\n");
    let memory = load(&[toml, dot_env], &[], &[]).unwrap().memory;
    assert_eq!((memory.alerts.get(), memory.events.get()), (11, 2));
}

#[test]
fn limits_have_defaults_and_are_read_from_every_source() {
    let limits = |files: &[_], environment: &[_], flags: &[_]| {
        let settings = load(files, environment, flags).unwrap();
        let seats = settings.server.connection_limits();
        let seconds = [settings.server.request_timeout, settings.server.keep_alive];
        let seconds = seconds.map(|time| time.0.as_secs());
        let chat = (settings.chat.rate.get(), settings.chat.burst.get());
        (seats.total, seats.per_address, seconds, chat)
    };
    assert_eq!(limits(&[], &[], &[]), (15_000, 500, [10, 95], (20, 100)));
    let toml = "[server]\nmax_connections = 1\nmax_connections_per_address = 2\n\
        request_timeout = '3s'\nkeep_alive = '6s'\n[chat]\nrate = 4\nburst = 5\n";
    assert_eq!(limits(&[(FILE, toml)], &[], &[]), (1, 2, [3, 6], (4, 5)));
    let environment = [
        ("NORTHGATE__SERVER__MAX_CONNECTIONS", "11"),
        ("NORTHGATE__SERVER__MAX_CONNECTIONS_PER_ADDRESS", "12"),
        ("NORTHGATE__SERVER__REQUEST_TIMEOUT", "13s"),
        ("NORTHGATE__SERVER__KEEP_ALIVE", "16s"),
        ("NORTHGATE__CHAT__RATE", "14"),
        ("NORTHGATE__CHAT__BURST", "15"),
    ];
    assert_eq!(limits(&[(FILE, toml)], &environment, &[]), (11, 12, [13, 16], (14, 15)));
    let flags = [
        "--max-connections=21",
        "--max-connections-per-address=22",
        "--request-timeout=23s",
        "--keep-alive=26s",
        "--chat-rate=24",
        "--chat-burst=25",
    ];
    assert_eq!(limits(&[], &environment, &flags), (21, 22, [23, 26], (24, 25)));
}

#[test]
fn alert_settings_are_read_from_every_source() {
    let alerts = |files: &[_], environment: &[_], flags: &[_]| {
        let alerts = load(files, environment, flags).unwrap().alerts;
        let quiet = alerts.quiet_for().into_array().map(|span| span.map(|span| span.as_secs()));
        (alerts.repeat_window.0.as_millis(), quiet)
    };
    assert_eq!(alerts(&[], &[], &[]), (100, [None; 4]));
    let toml = "[alerts]\nrepeat_window = '0s'\nresolve_info_after = '1m'\n\
        resolve_warning_after = '2m'\nresolve_error_after = '3m'\nresolve_critical_after = 'off'\n";
    let quiet = [Some(60), Some(120), Some(180), None];
    assert_eq!(alerts(&[(FILE, toml)], &[], &[]), (0, quiet));
    let environment = [
        ("NORTHGATE__ALERTS__REPEAT_WINDOW", "20ms"),
        ("NORTHGATE__ALERTS__RESOLVE_CRITICAL_AFTER", "4m"),
    ];
    let quiet = [Some(60), Some(120), Some(180), Some(240)];
    assert_eq!(alerts(&[(FILE, toml)], &environment, &[]), (20, quiet));
    let flags = [
        "--repeat-window=30ms",
        "--resolve-info-after=off",
        "--resolve-warning-after=5m",
        "--resolve-error-after=6m",
        "--resolve-critical-after=7m",
    ];
    let quiet = [None, Some(300), Some(360), Some(420)];
    assert_eq!(alerts(&[(FILE, toml)], &environment, &flags), (30, quiet));
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
fn a_new_name_overrides_a_legacy_name_in_the_same_source_only() {
    let both = [("NORTHGATE__CORS__ORIGINS", "http://new"), ("CORS_ORIGINS_ALLOWED", "http://old")];
    assert_eq!(load(&[], &both, &[]).unwrap().cors.origins.listed(), ["http://new"]);
    let ours_in_file = [(DOT_ENV, "NORTHGATE__CORS__ORIGINS=http://new")];
    let origins = load(&ours_in_file, &both[1..], &[]).unwrap().cors.origins;
    assert_eq!(origins.listed(), ["http://old"]);
}

#[test]
fn every_source_accepts_a_list_as_one_string_with_commas() {
    for text in ["public_host = ['a', 'b:1']", "public_host = 'a, b:1,'"] {
        let toml = format!("[server]\n{text}");
        let settings = load(&[(FILE, &toml)], &[], &[]).unwrap();
        assert_eq!(settings.server.public_host.names(), ["a", "b:1"]);
    }
    let empty = load(&[], &[("NORTHGATE__SERVER__PUBLIC_HOST", "")], &[]).unwrap();
    assert!(empty.server.public_host.names().is_empty());
}

#[test]
fn an_error_in_the_file_names_its_key() {
    let wrong = |toml| load(&[(FILE, toml)], &[], &[]).unwrap_err();
    assert_eq!(
        wrong("[server]\nport = 1.5"),
        "northgate.toml: server.port: \"1.5\" is not a port number from 0 to 65535"
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
fn an_error_in_a_variable_names_the_variable() {
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
        "CORS_METHODS_ALLOWED: \"P OST\" is not an HTTP method or header name, or * for all"
    );
    assert_eq!(wrong("CORS_CREDENTIAL", "2"), "CORS_CREDENTIAL: \"2\" is not true or false");
    let in_file = load(&[(DOT_ENV, "CORS_CREDENTIAL=2")], &[], &[]).unwrap_err();
    assert_eq!(in_file, "CORS_CREDENTIAL in .env: \"2\" is not true or false");
}

#[test]
fn a_wrong_value_is_an_error_even_if_a_higher_source_overrides_it() {
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
fn an_error_in_dot_env_names_the_line_without_its_value() {
    let wrong = |text| load(&[(DOT_ENV, text)], &[], &[]).unwrap_err();
    let reason = "the line is not NAME=value, or a quote is not closed";
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
fn an_error_in_a_flag_is_one_line_that_names_it() {
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
fn only_variables_of_this_server_must_be_unicode() {
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

#[test]
fn storage_settings_have_defaults_and_are_read_from_every_source() {
    let settings = |files: &[_], environment: &[_], flags: &[_]| {
        let storage = load(files, environment, flags).unwrap().storage;
        let days = storage.retain_for.0.as_secs() / (24 * 3_600);
        (storage.retain_events.get(), days, storage.appends_per_commit.get())
    };
    assert_eq!(settings(&[], &[], &[]), (1_000_000, 30, 1_024));
    let toml = "[storage]\nretain_events = 1\nretain_for = '2d'\nappends_per_commit = 3\n";
    assert_eq!(settings(&[(FILE, toml)], &[], &[]), (1, 2, 3));
    let environment = [
        ("NORTHGATE__STORAGE__RETAIN_EVENTS", "4"),
        ("NORTHGATE__STORAGE__RETAIN_FOR", "5d"),
        ("NORTHGATE__STORAGE__APPENDS_PER_COMMIT", "6"),
    ];
    assert_eq!(settings(&[(FILE, toml)], &environment, &[]), (4, 5, 6));
    let flags = ["--retain-events=7", "--retain-for=8d", "--appends-per-commit=9"];
    assert_eq!(settings(&[], &environment, &flags), (7, 8, 9));
}
