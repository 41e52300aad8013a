//! The command line.
#![expect(clippy::doc_markdown, reason = "these comments are the help text, which has no markup")]

use super::error::{ConfigurationError, one_line};
use super::maintenance::MaintenanceArguments;
use super::settings::Settings;
use super::values::{
    AfterTime, BoardName, ByteLimit, ConnectionTime, DataFolder, Delay, GeneratorInterval,
    GeneratorScenario, Host, Level, Plain, PublicHosts, Span, Window, workers,
};
use crate::Maintenance;
use clap::Parser;
use clap::error::{ContextKind, ErrorKind};
use std::error::Error as _;
use std::num::{NonZeroU32, NonZeroUsize};

/// A self-hosted, real-time alert server.
///
/// Every setting can also be set in the environment or in ./.env (NORTHGATE__SERVER__PORT=8000),
/// and in ./northgate.toml ([server] port = 8000). A flag overrides the environment, the
/// environment overrides .env, and .env overrides northgate.toml.
#[derive(Debug, Parser)]
#[command(name = "northgate", version, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) maintenance: Option<MaintenanceArguments>,

    /// IP address to listen on; the default serves only this machine [default: 127.0.0.1]
    /// [env: NORTHGATE__SERVER__HOST]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) host: Option<Host>,

    /// Port to listen on; 0 selects any free port [default: 8000] [env: NORTHGATE__SERVER__PORT]
    #[arg(long, value_parser = u16::parse, allow_negative_numbers = true)]
    pub(super) port: Option<u16>,

    /// Number of worker threads, 1 to 512 [default: one per CPU core]
    /// [env: NORTHGATE__SERVER__WORKERS]
    #[arg(long, value_name = "COUNT", value_parser = workers, allow_negative_numbers = true)]
    pub(super) workers: Option<NonZeroUsize>,

    /// Host name that clients use for the server, for example behind a proxy; repeatable
    /// [default: none] [env: NORTHGATE__SERVER__PUBLIC_HOST, separated by commas]
    #[arg(long, value_name = "NAME", value_parser = PublicHosts::check)]
    pub(super) public_host: Vec<String>,

    /// Upper bound of open streams, WebSocket and SSE together
    /// [default: 15000] [env: NORTHGATE__SERVER__MAX_CONNECTIONS]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroUsize::parse)]
    pub(super) max_connections: Option<NonZeroUsize>,

    /// Upper bound of open streams per client address; an IPv6 /64 counts as one address, and
    /// loopback has no such bound
    /// [default: 500] [env: NORTHGATE__SERVER__MAX_CONNECTIONS_PER_ADDRESS]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroUsize::parse)]
    pub(super) max_connections_per_address: Option<NonZeroUsize>,

    /// Time limit for the head of a request, and again for its body, 1s to 1h
    /// [default: 10s] [env: NORTHGATE__SERVER__REQUEST_TIMEOUT]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) request_timeout: Option<ConnectionTime>,

    /// Time that a connection stays open between two requests, 1s to 1h; must be longer than the
    /// keep-alive time of any proxy in front of the server
    /// [default: 95s] [env: NORTHGATE__SERVER__KEEP_ALIVE]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) keep_alive: Option<ConnectionTime>,

    /// Time that the server still serves after the stop signal while its readiness probe fails, so
    /// that load balancers stop using the server
    /// [default: 0s] [env: NORTHGATE__SERVER__DRAIN_DELAY]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) drain_delay: Option<Delay>,

    /// Folder in which the server stores all data on disk; without it, all data is in memory and a
    /// restart loses it [default: none] [env: NORTHGATE__STORAGE__DATA]
    #[arg(long, value_name = "FOLDER")]
    pub(super) data: Option<DataFolder>,

    /// Upper bound of events in the data folder, which clients read when they resume; older events
    /// are removed, alerts and messages stay
    /// [default: 1000000] [env: NORTHGATE__STORAGE__RETAIN_EVENTS]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroUsize::parse)]
    pub(super) retain_events: Option<NonZeroUsize>,

    /// Age from which events are removed from the data folder; alerts and messages stay
    /// [default: 30d] [env: NORTHGATE__STORAGE__RETAIN_FOR]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) retain_for: Option<Span>,

    /// Upper bound of the size of the data folder, such as 2GiB (at least 4MiB), or off. At the
    /// bound the server removes events first, then resolved alerts and messages; when only
    /// unresolved alerts are left, it refuses new alerts
    /// [default: off] [env: NORTHGATE__STORAGE__RETAIN_BYTES]
    #[arg(long, value_name = "BYTES|off", allow_hyphen_values = true)]
    pub(super) retain_bytes: Option<ByteLimit>,

    /// Upper bound of requests in one commit; for benchmarks
    #[arg(long, value_name = "COUNT", hide = true, allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroUsize::parse)]
    pub(super) appends_per_commit: Option<NonZeroUsize>,

    /// Time for which repeats of one alert are collected before they are stored and sent together,
    /// 0s to 5s [default: 100ms] [env: NORTHGATE__ALERTS__REPEAT_WINDOW]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) repeat_window: Option<Window>,

    /// Time without any event after which an alert of severity info resolves automatically, such
    /// as 4h, or off [default: off] [env: NORTHGATE__ALERTS__RESOLVE_INFO_AFTER]
    #[arg(long, value_name = "DURATION|off", allow_hyphen_values = true)]
    pub(super) resolve_info_after: Option<AfterTime>,

    /// Time without any event after which an alert of severity warning resolves automatically, such
    /// as 4h, or off [default: off] [env: NORTHGATE__ALERTS__RESOLVE_WARNING_AFTER]
    #[arg(long, value_name = "DURATION|off", allow_hyphen_values = true)]
    pub(super) resolve_warning_after: Option<AfterTime>,

    /// Time without any event after which an alert of severity error resolves automatically, such
    /// as 4h, or off [default: off] [env: NORTHGATE__ALERTS__RESOLVE_ERROR_AFTER]
    #[arg(long, value_name = "DURATION|off", allow_hyphen_values = true)]
    pub(super) resolve_error_after: Option<AfterTime>,

    /// Time without any event after which an alert of severity critical resolves automatically,
    /// such as 4h, or off [default: off] [env: NORTHGATE__ALERTS__RESOLVE_CRITICAL_AFTER]
    #[arg(long, value_name = "DURATION|off", allow_hyphen_values = true)]
    pub(super) resolve_critical_after: Option<AfterTime>,

    /// Time between two alerts that the background generator raises, such as 10s, or off
    /// [default: 10s without --data, off with it; with a scenario, that of the scenario]
    /// [env: NORTHGATE__GENERATOR__INTERVAL]
    #[arg(long, value_name = "DURATION|off", allow_hyphen_values = true)]
    pub(super) generator_interval: Option<GeneratorInterval>,

    /// Alerts of the background generator, for demonstrations: quiet, busy or storm; also turns
    /// the generator on with --data. none raises the same alert again and again [default: none]
    /// [env: NORTHGATE__GENERATOR__SCENARIO]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(super) generator_scenario: Option<GeneratorScenario>,

    /// Seed of the scenario; the same seed gives the same alerts in the same order [default: 1]
    /// [env: NORTHGATE__GENERATOR__SEED]
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    #[arg(value_parser = <u64 as Plain>::parse)]
    pub(super) generator_seed: Option<u64>,

    /// Time without any frame from a WebSocket client after which the server sends a ping
    /// [default: 25s] [env: NORTHGATE__HEARTBEAT__INTERVAL]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) heartbeat_interval: Option<Span>,

    /// Time after a ping without any frame from the client after which the server closes the
    /// WebSocket [default: 10s] [env: NORTHGATE__HEARTBEAT__TIMEOUT]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) heartbeat_timeout: Option<Span>,

    /// Chat messages per second that one connection may send on average
    /// [default: 20] [env: NORTHGATE__CHAT__RATE]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroU32::parse)]
    pub(super) chat_rate: Option<NonZeroU32>,

    /// Chat messages that one connection may send in one burst after a pause
    /// [default: 100] [env: NORTHGATE__CHAT__BURST]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroU32::parse)]
    pub(super) chat_burst: Option<NonZeroU32>,

    /// Upper bound of events in the memory store [default: 10000] [env: NORTHGATE__MEMORY__EVENTS]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroUsize::parse)]
    pub(super) memory_events: Option<NonZeroUsize>,

    /// Upper bound of alerts in the memory store [default: 10000] [env: NORTHGATE__MEMORY__ALERTS]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroUsize::parse)]
    pub(super) memory_alerts: Option<NonZeroUsize>,

    /// Upper bound of chat messages in the memory store [default: 1000]
    /// [env: NORTHGATE__MEMORY__MESSAGES]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroUsize::parse)]
    pub(super) memory_messages: Option<NonZeroUsize>,

    /// Upper bound of idempotency keys in the memory store [default: 10000]
    /// [env: NORTHGATE__MEMORY__KEYS]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroUsize::parse)]
    pub(super) memory_keys: Option<NonZeroUsize>,

    /// Name that the built-in web page shows in its header and title, for example the name of a
    /// plant; 1 to 64 characters [default: none] [env: NORTHGATE__BOARD__NAME]
    #[arg(long, value_name = "NAME")]
    pub(super) board_name: Option<BoardName>,

    /// Lowest level of the log lines that are written: error, warn, info or debug
    /// [default: info] [env: NORTHGATE__LOG__LEVEL]
    #[arg(long, value_name = "LEVEL")]
    pub(super) log_level: Option<Level>,
}

/// Result of reading the command line and all other sources.
#[derive(Debug)]
pub enum Loaded {
    /// Run a server with these settings.
    Settings(Box<Settings>),
    /// Run a maintenance command on a data folder.
    Maintenance(Maintenance),
    /// Print this text to standard output and exit: help, or the version.
    Answer(String),
}

impl Arguments {
    /// Combines the flags with `settings`, which come from all other sources. Flags override them.
    pub(super) fn ask(mut self, mut settings: Settings) -> Result<Loaded, ConfigurationError> {
        let Some(maintenance) = self.maintenance.take() else {
            self.apply(&mut settings);
            return Ok(Loaded::Settings(Box::new(settings)));
        };
        let missing = || {
            ConfigurationError::Arguments(
                "the data folder is missing: add --data <FOLDER>, or set NORTHGATE__STORAGE__DATA"
                    .to_owned(),
            )
        };
        maintenance.maintenance(settings.storage.data).map(Loaded::Maintenance).ok_or_else(missing)
    }

    /// Overrides each setting whose flag is present.
    fn apply(self, settings: &mut Settings) {
        fn set<T>(setting: &mut T, flag: Option<T>) {
            if let Some(value) = flag {
                *setting = value;
            }
        }
        set(&mut settings.server.host, self.host);
        set(&mut settings.server.port, self.port);
        set(&mut settings.server.workers, self.workers);
        set(&mut settings.server.max_connections, self.max_connections);
        let per_address = &mut settings.server.max_connections_per_address;
        set(per_address, self.max_connections_per_address);
        set(&mut settings.server.request_timeout, self.request_timeout);
        set(&mut settings.server.keep_alive, self.keep_alive);
        set(&mut settings.server.drain_delay, self.drain_delay);
        if let (false, Ok(names)) = (self.public_host.is_empty(), self.public_host.try_into()) {
            settings.server.public_host = names;
        }
        if self.data.is_some() {
            settings.storage.data = self.data;
        }
        set(&mut settings.storage.retain_events, self.retain_events);
        set(&mut settings.storage.retain_for, self.retain_for);
        set(&mut settings.storage.retain_bytes, self.retain_bytes);
        set(&mut settings.storage.appends_per_commit, self.appends_per_commit);
        set(&mut settings.alerts.repeat_window, self.repeat_window);
        set(&mut settings.alerts.resolve_info_after, self.resolve_info_after);
        set(&mut settings.alerts.resolve_warning_after, self.resolve_warning_after);
        set(&mut settings.alerts.resolve_error_after, self.resolve_error_after);
        set(&mut settings.alerts.resolve_critical_after, self.resolve_critical_after);
        set(&mut settings.generator.interval, self.generator_interval);
        set(&mut settings.generator.scenario, self.generator_scenario);
        set(&mut settings.generator.seed, self.generator_seed);
        set(&mut settings.heartbeat.interval, self.heartbeat_interval);
        set(&mut settings.heartbeat.timeout, self.heartbeat_timeout);
        set(&mut settings.chat.rate, self.chat_rate);
        set(&mut settings.chat.burst, self.chat_burst);
        set(&mut settings.memory.events, self.memory_events);
        set(&mut settings.memory.alerts, self.memory_alerts);
        set(&mut settings.memory.messages, self.memory_messages);
        set(&mut settings.memory.keys, self.memory_keys);
        if self.board_name.is_some() {
            settings.board.name = self.board_name;
        }
        set(&mut settings.log.level, self.log_level);
    }
}

/// Returns the text of `--help` or `--version`, or an error with one line about the wrong argument.
pub(super) fn answer_or_error(error: &clap::Error) -> Result<Loaded, ConfigurationError> {
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
