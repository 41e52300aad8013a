//! The builder of a server: wires settings, a store, routes and background components together.

use crate::application::Application;
use crate::configuration::{DataFolder, Settings};
use crate::sockets;
use crate::start_error::StartError;
use crate::stopping::Running;
use crate::store::configured_store;
use crate::supervisor::Supervisor;
use crate::system::{SystemClock, SystemIds, check_clock, draw_epoch};
use crate::workers::{Routes, WorkerParts, serve};
use actix_web::web::ServiceConfig;
use northgate_domain::MetaSource;
use northgate_hub::{Encoder, Hub, WindowLimits};
use northgate_schemas::{encode_event, encode_position};
use northgate_services::{
    AlertGenerator, AlertResolver, AlertService, ChatService, RaiseCoalescer, ScenarioGenerator,
    Script, StoreProbe,
};
use northgate_storage::{ClosableLog, EventLog, EventStore, PacedLog, ReadModel, StoreFactory};
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

/// Encoding of events for all streams.
const ENCODER: Encoder = Encoder { event: encode_event, position: encode_position };
/// Number of events by which the fan-out may lag before appends wait. The number is at most half of
/// the store's window of retained events, because events must be sent before they are trimmed.
const PUMP_LAG_EVENTS: usize = 1_024;
/// Interval at which the resolver searches for overdue alerts.
const RESOLVE_EVERY: Duration = Duration::from_secs(1);

/// The use cases, for custom routes and background components.
#[derive(Clone)]
pub struct UseCases {
    /// Raises alerts and acts on them.
    pub alerts: AlertService,
    /// Posts chat messages.
    pub chat: ChatService,
    /// The event log; [`tail`](northgate_storage::tail()) reads its new events.
    pub log: Arc<dyn EventLog>,
}

type BackgroundPart =
    Box<dyn FnOnce(UseCases, CancellationToken) -> Pin<Box<dyn Future<Output = ()> + Send>>>;

/// Collects the components of a server: those of the settings, and added ones.
pub struct ApplicationBuilder {
    settings: Settings,
    /// A custom store, which replaces the one of the settings.
    own_store: Option<Box<dyn StoreFactory>>,
    routes: Vec<Routes>,
    background: Vec<(&'static str, BackgroundPart)>,
}

impl Application {
    /// Returns a builder of a server with these settings. The builder can add routes and
    /// components.
    pub fn builder(settings: Settings) -> ApplicationBuilder {
        let (routes, background) = (Vec::new(), Vec::new());
        ApplicationBuilder { settings, own_store: None, routes, background }
    }
}

impl ApplicationBuilder {
    /// Returns the loaded settings, for a store, routes or components that depend on them.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Stores all data in a custom store. The settings of Northgate's own stores have no effect on
    /// a custom store.
    #[must_use]
    pub fn store(mut self, store: impl StoreFactory + 'static) -> Self {
        self.own_store = Some(Box::new(store));
        self
    }

    /// Adds routes after Northgate's own, within the same middlewares. Handlers get the
    /// [`AlertService`] and the [`ChatService`] as `web::Data`. `routes` is called once per worker
    /// thread.
    #[must_use]
    pub fn routes(mut self, routes: impl Fn(&mut ServiceConfig) + Send + Sync + 'static) -> Self {
        self.routes.push(Arc::new(routes));
        self
    }

    /// Adds a background component. The component must end when its token is cancelled, which
    /// happens before the last events are sent. If the component ends earlier or panics, the server
    /// stops and reports `name`.
    #[must_use]
    pub fn background<F: Future<Output = ()> + Send + 'static>(
        mut self,
        name: &'static str,
        part: impl FnOnce(UseCases, CancellationToken) -> F + 'static,
    ) -> Self {
        self.background.push((name, Box::new(|parts, stop| Box::pin(part(parts, stop)))));
        self
    }

    /// Binds the address, opens the store and wires all components. Must be called on the runtime's
    /// main thread. The server accepts no connection before [`Application::run_until_stopped`].
    pub async fn build(self) -> Result<Application, StartError> {
        let Self { settings, own_store, routes, background } = self;
        check_clock()?;
        let (listener, address) = bind(&settings)?;
        let clock = Arc::new(SystemClock);
        let meta = MetaSource::new(clock.clone(), Arc::new(SystemIds));
        let is_own = own_store.is_some();
        let factory = own_store.unwrap_or_else(|| configured_store(&settings));
        let store = factory.open(meta, draw_epoch()).await.map_err(StartError::Store)?;
        tell_what_survives(store.is_durable(), settings.storage.data.as_ref().filter(|_| !is_own));
        let (hub, pump) = Hub::new(store.clone(), WindowLimits::default(), ENCODER);
        store.follow(hub.pumped());
        let lag = PUMP_LAG_EVENTS.min(store.window() / 2) as u64;
        let paced = PacedLog::new(store.clone(), hub.pumped(), lag);
        let log = Arc::new(ClosableLog::new(Arc::new(paced)));
        let window = settings.alerts.repeat_window.0;
        let coalescer = RaiseCoalescer::new(log.clone(), window, Handle::current());
        let alerts = AlertService::new(log.clone(), store.clone(), coalescer, clock);
        let chat = ChatService::new(log.clone(), store.clone());
        let use_cases = UseCases { alerts, chat, log: log.clone() };

        let running = Running::new(
            log,
            use_cases.alerts.clone(),
            store.clone(),
            hub,
            settings.server.drain_delay.0,
        );
        let supervisor = &running.supervisor;
        let stop = &running.sources_stop;
        start_sources(
            &settings,
            store.is_durable(),
            store.clone(),
            &use_cases.alerts,
            supervisor,
            stop,
        )?;
        for (name, part) in background {
            supervisor.spawn(name, stop.clone(), part(use_cases.clone(), stop.clone()));
        }
        let pump_stop = running.pump_stop.clone();
        supervisor.spawn("pump", pump_stop.clone(), pump.run(pump_stop));
        watch(store.clone(), running.hub.clone(), supervisor, &running.server_stop);
        tell_what_is_open(address, &settings);
        let probe = StoreProbe::new(store);
        let parts =
            WorkerParts::new(&settings, address, use_cases.alerts, use_cases.chat, probe, &running);
        let server = serve(listener, settings.server.workers.get(), parts, routes)?;
        Ok(Application { address, server, running })
    }
}

/// Binds the configured address.
fn bind(settings: &Settings) -> Result<(TcpListener, SocketAddr), StartError> {
    let wanted = SocketAddr::new(settings.server.host.address(), settings.server.port);
    let listen = |source| StartError::Listen { address: wanted, source };
    let listener = sockets::listen(wanted).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    Ok((listener, address))
}

/// Starts the generator, unless it is off, and the alert resolver.
fn start_sources(
    settings: &Settings,
    is_durable: bool,
    read_model: Arc<dyn ReadModel>,
    alerts: &AlertService,
    supervisor: &Supervisor,
    stop: &CancellationToken,
) -> Result<(), StartError> {
    if let Some((scenario, every)) = settings.scenario() {
        let script = Script::new(scenario, settings.generator.seed, every)?;
        let generator = ScenarioGenerator::new(alerts.clone(), Arc::new(SystemClock), script);
        supervisor.spawn("generator", stop.clone(), generator.run(stop.clone()));
    } else if let Some(every) = settings.generator_interval(is_durable) {
        let generator =
            AlertGenerator::new(alerts.clone(), interval(every), Arc::new(SystemClock))?;
        supervisor.spawn("generator", stop.clone(), generator.run(stop.clone()));
    }
    let resolver = AlertResolver::new(
        read_model,
        alerts.clone(),
        settings.alerts.quiet_for(),
        Arc::new(SystemClock),
        interval(RESOLVE_EVERY),
    )?;
    supervisor.spawn("alert resolver", stop.clone(), resolver.run(stop.clone()));
    Ok(())
}

/// Reports the failures of the components that have their own threads.
fn watch(store: Arc<dyn EventStore>, hub: Hub, supervisor: &Supervisor, stop: &CancellationToken) {
    supervisor.watch("fan-out worker", stop.clone(), async move {
        hub.worker_failed().await;
        "its task or its thread ended".to_owned()
    });
    supervisor.watch("store", stop.clone(), async move { store.failed().await });
}

/// Logs in one line whether events survive a restart.
fn tell_what_survives(is_durable: bool, folder: Option<&DataFolder>) {
    match folder {
        Some(folder) => {
            tracing::info!(folder = %folder.path().display(), "events are stored on disk");
        }
        None if is_durable => tracing::info!("events survive a restart"),
        None => tracing::info!("events are stored in memory only; a restart loses them"),
    }
}

/// Logs in one line which programs and pages can use the server, since there are no accounts.
fn tell_what_is_open(address: SocketAddr, settings: &Settings) {
    let hosts = settings.server.public_host.names();
    let origins = settings.cors.origins.listed();
    let is_local = address.ip().to_canonical().is_loopback();
    let pages = match (origins.iter().any(|origin| origin == "*"), is_local) {
        (true, _) => "all",
        (false, true) => "localhost only",
        (false, false) => "same origin only",
    };
    if is_local {
        tracing::info!(
            %address, pages, public_hosts = ?hosts, origins = ?origins,
            "open to every program on this machine, without a password"
        );
    } else {
        tracing::warn!(
            %address, pages, public_hosts = ?hosts, origins = ?origins,
            "open to everyone who can reach this address, without a password"
        );
    }
}
