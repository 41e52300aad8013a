//! The command line.
#![expect(clippy::doc_markdown, reason = "these comments are the help text, which has no markup")]

use super::error::{ConfigurationError, one_line};
use super::maintenance::MaintenanceArguments;
use super::settings::Settings;
use super::values::{
    AfterTime, ByteLimit, ConnectionTime, DataFolder, Delay, GeneratorInterval, Host, Level, Plain,
    PublicHosts, Span, Window, workers,
};
use crate::Maintenance;
use clap::Parser;
use clap::error::{ContextKind, ErrorKind};
use std::error::Error as _;
use std::num::{NonZeroU32, NonZeroUsize};

/// A self-hosted, real-time alert server.
///
/// Every flag can be set in the environment or a .env file as well (NORTHGATE__SERVER__PORT=8000)
/// and in ./northgate.toml ([server] port = 8000). Flags win over the environment, and the
/// environment over the file.
#[derive(Debug, Parser)]
#[command(name = "northgate", version, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) maintenance: Option<MaintenanceArguments>,

    /// Address to listen on [default: 127.0.0.1] [env: NORTHGATE__SERVER__HOST]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) host: Option<Host>,

    /// Port to listen on; 0 takes any free one [default: 8000] [env: NORTHGATE__SERVER__PORT]
    #[arg(long, value_parser = u16::parse, allow_negative_numbers = true)]
    pub(super) port: Option<u16>,

    /// Worker threads, 512 at most [default: one per core] [env: NORTHGATE__SERVER__WORKERS]
    #[arg(long, value_name = "COUNT", value_parser = workers, allow_negative_numbers = true)]
    pub(super) workers: Option<NonZeroUsize>,

    /// Host name under which the server is known outside, as behind a proxy; repeatable
    /// [env: NORTHGATE__SERVER__PUBLIC_HOST, separated by commas]
    #[arg(long, value_name = "NAME", value_parser = PublicHosts::check)]
    pub(super) public_host: Vec<String>,

    /// Connections that may stream at a time, WebSocket and SSE together
    /// [default: 15000] [env: NORTHGATE__SERVER__MAX_CONNECTIONS]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroUsize::parse)]
    pub(super) max_connections: Option<NonZeroUsize>,

    /// Connections that may stream from one address (an IPv6 /64 is one; loopback is not counted)
    /// [default: 500] [env: NORTHGATE__SERVER__MAX_CONNECTIONS_PER_ADDRESS]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroUsize::parse)]
    pub(super) max_connections_per_address: Option<NonZeroUsize>,

    /// How long the head of a request may take, and then its body; 1s to 1h
    /// [default: 10s] [env: NORTHGATE__SERVER__REQUEST_TIMEOUT]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) request_timeout: Option<ConnectionTime>,

    /// How long a connection may stay open between two requests, longer than in any proxy before
    /// the server; 1s to 1h [default: 95s] [env: NORTHGATE__SERVER__KEEP_ALIVE]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) keep_alive: Option<ConnectionTime>,

    /// How long to go on after the signal to stop, not ready any more, for load balancers to see
    /// [default: 0s] [env: NORTHGATE__SERVER__DRAIN_DELAY]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) drain_delay: Option<Delay>,

    /// Folder to keep every event in, on disk; without it they are in memory and do not survive a
    /// restart [env: NORTHGATE__STORAGE__DATA]
    #[arg(long, value_name = "FOLDER")]
    pub(super) data: Option<DataFolder>,

    /// Events that the folder holds for those who come back; alerts and messages stay
    /// [default: 1000000] [env: NORTHGATE__STORAGE__RETAIN_EVENTS]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroUsize::parse)]
    pub(super) retain_events: Option<NonZeroUsize>,

    /// How long the folder holds them [default: 30d] [env: NORTHGATE__STORAGE__RETAIN_FOR]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) retain_for: Option<Span>,

    /// Bytes that the folder may take, such as 2GiB, or off. Events are removed first, then
    /// resolved alerts and messages; when only open alerts are left, new ones are refused
    /// [default: off] [env: NORTHGATE__STORAGE__RETAIN_BYTES]
    #[arg(long, value_name = "BYTES|off", allow_hyphen_values = true)]
    pub(super) retain_bytes: Option<ByteLimit>,

    /// Requests that one commit may keep; for benchmarks
    #[arg(long, value_name = "COUNT", hide = true, allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroUsize::parse)]
    pub(super) appends_per_commit: Option<NonZeroUsize>,

    /// For how long repeats of one alert are gathered before they are kept and sent, 5s at most
    /// [default: 100ms] [env: NORTHGATE__ALERTS__REPEAT_WINDOW]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) repeat_window: Option<Window>,

    /// After what time without any event an alert of severity info resolves by itself, such as 4h;
    /// or off [default: off] [env: NORTHGATE__ALERTS__RESOLVE_INFO_AFTER]
    #[arg(long, value_name = "DURATION|off", allow_hyphen_values = true)]
    pub(super) resolve_info_after: Option<AfterTime>,

    /// After what time without any event an alert of severity warning resolves by itself, such as 4h;
    /// or off [default: off] [env: NORTHGATE__ALERTS__RESOLVE_WARNING_AFTER]
    #[arg(long, value_name = "DURATION|off", allow_hyphen_values = true)]
    pub(super) resolve_warning_after: Option<AfterTime>,

    /// After what time without any event an alert of severity error resolves by itself, such as 4h;
    /// or off [default: off] [env: NORTHGATE__ALERTS__RESOLVE_ERROR_AFTER]
    #[arg(long, value_name = "DURATION|off", allow_hyphen_values = true)]
    pub(super) resolve_error_after: Option<AfterTime>,

    /// After what time without any event an alert of severity critical resolves by itself, such as 4h;
    /// or off [default: off] [env: NORTHGATE__ALERTS__RESOLVE_CRITICAL_AFTER]
    #[arg(long, value_name = "DURATION|off", allow_hyphen_values = true)]
    pub(super) resolve_critical_after: Option<AfterTime>,

    /// How often the background generator raises an alert, such as 10s; or off
    /// [default: 10s, and off with --data] [env: NORTHGATE__GENERATOR__INTERVAL]
    #[arg(long, value_name = "DURATION|off", allow_hyphen_values = true)]
    pub(super) generator_interval: Option<GeneratorInterval>,

    /// After what silence of its client a WebSocket is pinged
    /// [default: 25s] [env: NORTHGATE__HEARTBEAT__INTERVAL]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) heartbeat_interval: Option<Span>,

    /// After what silence on a ping it is closed
    /// [default: 10s] [env: NORTHGATE__HEARTBEAT__TIMEOUT]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(super) heartbeat_timeout: Option<Span>,

    /// Chat messages that a connection may send in a second, in the long run
    /// [default: 20] [env: NORTHGATE__CHAT__RATE]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroU32::parse)]
    pub(super) chat_rate: Option<NonZeroU32>,

    /// Chat messages that it may send at once, after a silence
    /// [default: 100] [env: NORTHGATE__CHAT__BURST]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroU32::parse)]
    pub(super) chat_burst: Option<NonZeroU32>,

    /// Events that the memory store holds [default: 10000] [env: NORTHGATE__MEMORY__EVENTS]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroUsize::parse)]
    pub(super) memory_events: Option<NonZeroUsize>,

    /// Alerts that the memory store holds [default: 10000] [env: NORTHGATE__MEMORY__ALERTS]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroUsize::parse)]
    pub(super) memory_alerts: Option<NonZeroUsize>,

    /// Chat messages that the memory store holds [default: 1000]
    /// [env: NORTHGATE__MEMORY__MESSAGES]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroUsize::parse)]
    pub(super) memory_messages: Option<NonZeroUsize>,

    /// Idempotency keys that the memory store holds [default: 10000]
    /// [env: NORTHGATE__MEMORY__KEYS]
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true)]
    #[arg(value_parser = NonZeroUsize::parse)]
    pub(super) memory_keys: Option<NonZeroUsize>,

    /// Least important log lines to write: error, warn, info or debug [default: info]
    /// [env: NORTHGATE__LOG__LEVEL]
    #[arg(long, value_name = "LEVEL")]
    pub(super) log_level: Option<Level>,
}

/// What the command line and everything behind it ask for.
#[derive(Debug)]
pub enum Loaded {
    /// A server with these settings.
    Settings(Box<Settings>),
    /// Something to do with a folder of data.
    Maintenance(Maintenance),
    /// An answer on standard output and nothing else: help, or the version.
    Answer(String),
}

impl Arguments {
    /// What is asked for, where `settings` stand in every weaker place.
    pub(super) fn ask(mut self, mut settings: Settings) -> Result<Loaded, ConfigurationError> {
        let Some(maintenance) = self.maintenance.take() else {
            self.apply(&mut settings);
            return Ok(Loaded::Settings(Box::new(settings)));
        };
        let missing = || ConfigurationError::Arguments("--data <FOLDER> is missing".to_owned());
        maintenance.maintenance(settings.storage.data).map(Loaded::Maintenance).ok_or_else(missing)
    }

    /// Puts every flag that was given in the place of its setting.
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
        set(&mut settings.heartbeat.interval, self.heartbeat_interval);
        set(&mut settings.heartbeat.timeout, self.heartbeat_timeout);
        set(&mut settings.chat.rate, self.chat_rate);
        set(&mut settings.chat.burst, self.chat_burst);
        set(&mut settings.memory.events, self.memory_events);
        set(&mut settings.memory.alerts, self.memory_alerts);
        set(&mut settings.memory.messages, self.memory_messages);
        set(&mut settings.memory.keys, self.memory_keys);
        set(&mut settings.log.level, self.log_level);
    }
}

/// The answer to a command line that asks for help or the version, or else what is wrong with it.
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
