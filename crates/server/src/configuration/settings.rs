//! All settings and their defaults.

use super::values;
use super::values::{
    AfterTime, BoardName, ByteLimit, ConnectionTime, DataFolder, Delay, GeneratorInterval,
    GeneratorScenario, Host, Level, Listed, Origins, PublicHosts, Span, Window,
};
use actix_web::http::Method;
use actix_web::http::header::HeaderName;
use northgate_domain::Severity;
use northgate_services::ConnectionLimits;
use northgate_services::{QuietFor, RaiseCoalescer, Scenario};
use northgate_storage::Capacity;
use northgate_storage_sqlite::Options;
use serde::Deserialize;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

/// All settings of the server, by section.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct Settings {
    /// Listening address, connection limits and timeouts.
    pub server: ServerSection,
    /// Automatic changes of alerts: collected repeats, and resolution after a quiet time.
    pub alerts: AlertsSection,
    /// The background generator.
    pub generator: GeneratorSection,
    /// Pings of WebSocket clients that send nothing.
    pub heartbeat: HeartbeatSection,
    /// Limit on the chat messages of one connection.
    pub chat: ChatSection,
    /// Where data is stored, and how much of it.
    pub storage: StorageSection,
    /// Capacity of the memory store.
    pub memory: MemorySection,
    /// Permissions of pages from other origins (CORS).
    pub cors: CorsSection,
    /// The built-in web page.
    pub board: BoardSection,
    /// Log lines.
    pub log: LogSection,
}

impl Settings {
    /// Interval of the generator if none is set and the store is not durable.
    const GENERATOR_INTERVAL: Duration = Duration::from_secs(10);

    /// Returns the scenario of the generator, with the time between two alerts if one is set;
    /// `None` means that the generator performs no scenario.
    pub(crate) fn scenario(&self) -> Option<(Scenario, Option<Duration>)> {
        let GeneratorSection { interval, scenario, .. } = self.generator;
        scenario.0.filter(|_| !interval.is_off()).map(|scenario| (scenario, interval.duration()))
    }

    /// Returns the time between two alerts of the generator; `None` means that it does not run. By
    /// default the generator runs only if the store is not durable, so that a new user sees some
    /// alerts.
    pub(crate) fn generator_interval(&self, is_durable: bool) -> Option<Duration> {
        let unsaid = (!is_durable).then_some(Self::GENERATOR_INTERVAL);
        self.generator.interval.duration_or(unsaid)
    }
}

/// Listening address, connection limits and timeouts.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct ServerSection {
    /// IP address to bind.
    pub host: Host,
    /// Port to bind; 0 selects any free port.
    #[serde(deserialize_with = "values::plain")]
    pub port: u16,
    /// Number of worker threads, 1 to 512.
    #[serde(deserialize_with = "values::workers_in")]
    pub workers: NonZeroUsize,
    /// Upper bound of open streams, WebSocket and SSE together.
    #[serde(deserialize_with = "values::plain")]
    pub max_connections: NonZeroUsize,
    /// Upper bound of open streams per client address; loopback has no such bound.
    #[serde(deserialize_with = "values::plain")]
    pub max_connections_per_address: NonZeroUsize,
    /// Time limit for the head of a request, and again for its body.
    pub request_timeout: ConnectionTime,
    /// Time that a connection stays open between two requests.
    pub keep_alive: ConnectionTime,
    /// Time that the server still serves after a request to stop. The readiness probe fails during
    /// this time, so that load balancers stop using the server.
    pub drain_delay: Delay,
    /// Host names that clients use for the server.
    #[serde(deserialize_with = "values::texts")]
    pub public_host: PublicHosts,
}

impl ServerSection {
    const MAX_CONNECTIONS: NonZeroUsize = NonZeroUsize::new(15_000).unwrap();
    /// Longer than the usual idle timeout of proxies (60 to 90 s). The proxy must close an idle
    /// connection first. If the server closed the connection first, a request from the proxy could
    /// be on its way and would be lost.
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

/// Automatic changes of alerts: collected repeats, and resolution after a quiet time.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct AlertsSection {
    /// Time for which repeats of one alert are collected before they are stored and sent together.
    pub repeat_window: Window,
    /// Time without any event after which an alert of severity info resolves automatically.
    pub resolve_info_after: AfterTime,
    /// Time without any event after which an alert of severity warning resolves automatically.
    pub resolve_warning_after: AfterTime,
    /// Time without any event after which an alert of severity error resolves automatically.
    pub resolve_error_after: AfterTime,
    /// Time without any event after which an alert of severity critical resolves automatically.
    pub resolve_critical_after: AfterTime,
}

impl AlertsSection {
    /// Returns the quiet times by severity.
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
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct GeneratorSection {
    /// Time between two alerts, or off.
    pub interval: GeneratorInterval,
    /// Alerts that the generator raises.
    pub scenario: GeneratorScenario,
    /// Seed of the scenario. The same seed gives the same alerts in the same order.
    #[serde(deserialize_with = "values::plain")]
    pub seed: u64,
}

impl Default for GeneratorSection {
    fn default() -> Self {
        Self {
            interval: GeneratorInterval::default(),
            scenario: GeneratorScenario::default(),
            seed: 1,
        }
    }
}

/// Pings of WebSocket clients that send nothing.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct HeartbeatSection {
    /// Time without any frame from the client after which the server sends a ping.
    pub interval: Span,
    /// Time after a ping without any frame from the client after which the server closes the
    /// connection.
    pub timeout: Span,
}

impl Default for HeartbeatSection {
    fn default() -> Self {
        Self { interval: Span(Duration::from_secs(25)), timeout: Span(Duration::from_secs(10)) }
    }
}

/// Limit on the chat messages of one connection. Messages over the limit are refused, and the
/// connection stays open.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct ChatSection {
    /// Average number of messages per second.
    #[serde(deserialize_with = "values::plain")]
    pub rate: NonZeroU32,
    /// Messages in one burst after a pause.
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

/// Where data is stored, and how much of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct StorageSection {
    /// Folder of a store on disk; without it, all data is in memory.
    pub data: Option<DataFolder>,
    /// Upper bound of events that a store on disk retains for clients that resume.
    #[serde(deserialize_with = "values::plain")]
    pub retain_events: NonZeroUsize,
    /// Age from which a store on disk removes events.
    pub retain_for: Span,
    /// Upper bound of the bytes of a store on disk, its write-ahead log included.
    pub retain_bytes: ByteLimit,
    /// Upper bound of requests in one commit; for benchmarks.
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

/// Capacity of the memory store, with a separate bound for each kind of data.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct MemorySection {
    /// Upper bound of events.
    #[serde(deserialize_with = "values::plain")]
    pub events: NonZeroUsize,
    /// Upper bound of alerts.
    #[serde(deserialize_with = "values::plain")]
    pub alerts: NonZeroUsize,
    /// Upper bound of chat messages.
    #[serde(deserialize_with = "values::plain")]
    pub messages: NonZeroUsize,
    /// Upper bound of idempotency keys.
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

/// Permissions of pages from other origins (CORS).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct CorsSection {
    /// Allowed origins, in addition to those that are always allowed; `*` allows all.
    #[serde(deserialize_with = "values::texts")]
    pub origins: Origins,
    /// Allowed methods; `*` allows all.
    #[serde(deserialize_with = "values::texts")]
    pub methods: Listed<Method>,
    /// Allowed request headers; `*` allows all.
    #[serde(deserialize_with = "values::texts")]
    pub headers: Listed<HeaderName>,
    /// Whether pages may send credentials, such as cookies.
    #[serde(deserialize_with = "values::plain")]
    pub credentials: bool,
}

/// The built-in web page.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct BoardSection {
    /// Name that the page shows in its header and title.
    pub name: Option<BoardName>,
}

/// Log lines.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a group of settings")]
pub struct LogSection {
    /// Lowest level of the lines that are written.
    pub level: Level,
}
