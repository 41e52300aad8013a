//! Everything that can be set, with its defaults.

use super::values;
use super::values::{
    AfterTime, ByteLimit, ConnectionTime, DataFolder, Delay, GeneratorInterval, Host, Level,
    Listed, Origins, PublicHosts, Span, Window,
};
use actix_web::http::Method;
use actix_web::http::header::HeaderName;
use northgate_domain::Severity;
use northgate_services::ConnectionLimits;
use northgate_services::{QuietFor, RaiseCoalescer};
use northgate_storage::Capacity;
use northgate_storage_sqlite::Options;
use serde::Deserialize;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

/// Everything that can be set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct Settings {
    /// Where and how to listen.
    pub server: ServerSection,
    /// What becomes of alerts by themselves.
    pub alerts: AlertsSection,
    /// The background generator.
    pub generator: GeneratorSection,
    /// How long a WebSocket's client may be silent.
    pub heartbeat: HeartbeatSection,
    /// How much one connection may say.
    pub chat: ChatSection,
    /// Where events are kept.
    pub storage: StorageSection,
    /// How much the memory store holds.
    pub memory: MemorySection,
    /// What pages of other origins may do.
    pub cors: CorsSection,
    /// Log lines.
    pub log: LogSection,
}

impl Settings {
    /// How often an alert is raised where nobody has said so.
    const GENERATOR_INTERVAL: Duration = Duration::from_secs(10);

    /// The time between two alerts of the generator, if there is to be one. Unless it is set, it
    /// runs over a store that is not durable, so that a first look shows something.
    pub(crate) fn generator_interval(&self, is_durable: bool) -> Option<Duration> {
        let unsaid = (!is_durable).then_some(Self::GENERATOR_INTERVAL);
        self.generator.interval.duration_or(unsaid)
    }
}

/// Where and how to listen.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct ServerSection {
    /// The address to bind.
    pub host: Host,
    /// The port to bind; 0 takes any free one.
    #[serde(deserialize_with = "values::plain")]
    pub port: u16,
    /// Worker threads, 512 at most.
    #[serde(deserialize_with = "values::workers_in")]
    pub workers: NonZeroUsize,
    /// How many connections may stream at a time, WebSocket and SSE together.
    #[serde(deserialize_with = "values::plain")]
    pub max_connections: NonZeroUsize,
    /// How many of them may come from one address; loopback is not counted.
    #[serde(deserialize_with = "values::plain")]
    pub max_connections_per_address: NonZeroUsize,
    /// How long the head of a request may take, and then its body.
    pub request_timeout: ConnectionTime,
    /// How long a connection may stay open between two requests.
    pub keep_alive: ConnectionTime,
    /// How long the server goes on after it was asked to stop, so that a load balancer sees that
    /// it is no longer ready.
    pub drain_delay: Delay,
    /// Host names under which the server is known outside.
    #[serde(deserialize_with = "values::texts")]
    pub public_host: PublicHosts,
}

impl ServerSection {
    const MAX_CONNECTIONS: NonZeroUsize = NonZeroUsize::new(15_000).unwrap();
    /// Longer than proxies keep a connection open (60 to 90 s): who ends it first must not be the
    /// server, since a request may be on its way.
    const KEEP_ALIVE: ConnectionTime = ConnectionTime(Duration::from_secs(95));
    const MAX_CONNECTIONS_PER_ADDRESS: NonZeroUsize = NonZeroUsize::new(500).unwrap();

    pub(crate) fn connection_limits(&self) -> ConnectionLimits {
        ConnectionLimits {
            total: self.max_connections.get(),
            per_address: self.max_connections_per_address.get(),
        }
    }
}

impl Default for ServerSection {
    fn default() -> Self {
        Self {
            host: Host::default(),
            port: 8_000,
            workers: std::thread::available_parallelism()
                .map_or(NonZeroUsize::MIN, |cores| cores.min(values::MOST_WORKERS)),
            max_connections: Self::MAX_CONNECTIONS,
            max_connections_per_address: Self::MAX_CONNECTIONS_PER_ADDRESS,
            request_timeout: ConnectionTime(Duration::from_secs(10)),
            keep_alive: Self::KEEP_ALIVE,
            drain_delay: Delay::default(),
            public_host: PublicHosts::default(),
        }
    }
}

/// What becomes of alerts by themselves.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct AlertsSection {
    /// For how long repeats of one alert are gathered before they are kept.
    pub repeat_window: Window,
    /// After what quiet time an alert of this severity resolves.
    pub resolve_info_after: AfterTime,
    /// After what quiet time an alert of this severity resolves.
    pub resolve_warning_after: AfterTime,
    /// After what quiet time an alert of this severity resolves.
    pub resolve_error_after: AfterTime,
    /// After what quiet time an alert of this severity resolves.
    pub resolve_critical_after: AfterTime,
}

impl AlertsSection {
    /// The quiet times by severity.
    pub(crate) fn quiet_for(&self) -> QuietFor {
        QuietFor::from_fn(|severity| match severity {
            Severity::Info => self.resolve_info_after.0,
            Severity::Warning => self.resolve_warning_after.0,
            Severity::Error => self.resolve_error_after.0,
            Severity::Critical => self.resolve_critical_after.0,
        })
    }
}

impl Default for AlertsSection {
    fn default() -> Self {
        Self {
            repeat_window: Window(RaiseCoalescer::WINDOW),
            resolve_info_after: AfterTime::default(),
            resolve_warning_after: AfterTime::default(),
            resolve_error_after: AfterTime::default(),
            resolve_critical_after: AfterTime::default(),
        }
    }
}

/// The background generator.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct GeneratorSection {
    /// How often it raises an alert, if at all.
    pub interval: GeneratorInterval,
}

/// How long a WebSocket's client may be silent.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct HeartbeatSection {
    /// Without anything from the client for this long, it is pinged.
    pub interval: Span,
    /// Without anything from the client for this long after a ping, it is closed.
    pub timeout: Span,
}

impl Default for HeartbeatSection {
    fn default() -> Self {
        Self { interval: Span(Duration::from_secs(25)), timeout: Span(Duration::from_secs(10)) }
    }
}

/// How much one connection may say, in messages of chat. What is too much is refused, and the
/// connection stays.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct ChatSection {
    /// Messages a second, in the long run.
    #[serde(deserialize_with = "values::plain")]
    pub rate: NonZeroU32,
    /// Messages at once, after a silence.
    #[serde(deserialize_with = "values::plain")]
    pub burst: NonZeroU32,
}

impl ChatSection {
    const RATE: NonZeroU32 = NonZeroU32::new(20).unwrap();
    const BURST: NonZeroU32 = NonZeroU32::new(100).unwrap();
}

impl Default for ChatSection {
    fn default() -> Self {
        Self { rate: Self::RATE, burst: Self::BURST }
    }
}

/// Where events are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct StorageSection {
    /// The folder for a store on disk; without one, events are kept in memory.
    pub data: Option<DataFolder>,
    /// How many events a store on disk holds for those who come back.
    #[serde(deserialize_with = "values::plain")]
    pub retain_events: NonZeroUsize,
    /// How long a store on disk holds them.
    pub retain_for: Span,
    /// How many bytes a store on disk may take, its write-ahead log included.
    pub retain_bytes: ByteLimit,
    /// How many requests one commit may keep, of those that wait for the disk together; for
    /// benchmarks.
    #[serde(deserialize_with = "values::plain")]
    pub appends_per_commit: NonZeroUsize,
}

impl Default for StorageSection {
    fn default() -> Self {
        Self {
            data: None,
            retain_events: Options::RETAIN_EVENTS,
            retain_for: Span(Options::RETAIN_FOR),
            retain_bytes: ByteLimit::default(),
            appends_per_commit: Options::APPENDS_PER_COMMIT,
        }
    }
}

/// How much the memory store holds, each kind by itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct MemorySection {
    /// Events.
    #[serde(deserialize_with = "values::plain")]
    pub events: NonZeroUsize,
    /// Alerts.
    #[serde(deserialize_with = "values::plain")]
    pub alerts: NonZeroUsize,
    /// Chat messages.
    #[serde(deserialize_with = "values::plain")]
    pub messages: NonZeroUsize,
    /// Idempotency keys.
    #[serde(deserialize_with = "values::plain")]
    pub keys: NonZeroUsize,
}

impl Default for MemorySection {
    fn default() -> Self {
        let Capacity { events, alerts, messages, keys } = Capacity::default();
        Self { events, alerts, messages, keys }
    }
}

impl MemorySection {
    pub(crate) fn capacity(&self) -> Capacity {
        let Self { events, alerts, messages, keys } = *self;
        Capacity { events, alerts, messages, keys }
    }
}

/// What pages of other origins may do.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct CorsSection {
    /// Origins, besides those that are allowed anyway; `*` allows all.
    #[serde(deserialize_with = "values::texts")]
    pub origins: Origins,
    /// Methods; `*` allows all.
    #[serde(deserialize_with = "values::texts")]
    pub methods: Listed<Method>,
    /// Request headers; `*` allows all.
    #[serde(deserialize_with = "values::texts")]
    pub headers: Listed<HeaderName>,
    /// Whether cookies and the like may be sent.
    #[serde(deserialize_with = "values::plain")]
    pub credentials: bool,
}

/// Log lines.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct LogSection {
    /// The least important lines that are written.
    pub level: Level,
}
