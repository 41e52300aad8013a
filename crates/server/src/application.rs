//! The server as a value: built from settings, asked for its address, run until it is stopped.

use crate::configuration::{CorsSection, Settings};
use crate::connections::{self, ConnectionSettings};
use crate::sockets;
use crate::stamps::{ClockError, SystemStamps, check_clock};
use crate::stop_request::{Progress, StopRequest};
use crate::stopping::{CONNECTIONS_WITHIN, Running};
use crate::store::Store;
use crate::supervisor::{PartFailure, Supervisor};
use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, web};
use northgate_api::middlewares::{
    BodyPatience, CorsSettings, HostPolicy, OriginPolicy, cors, fill_empty_answers,
    read_bodies_to_their_end, refuse_foreign_hosts, refuse_foreign_origins, security_headers,
    tell_problems,
};
use northgate_api::{AnswerBudget, ApiContext, BodyLimit, Endpoint, Readiness};
use northgate_domain::TextError;
use northgate_hub::{Encoder, Hub, WindowLimits};
use northgate_schemas::{encode_event, encode_position};
use northgate_services::{
    AlertGenerator, AlertResolver, AlertService, ChatService, ConnectionLimiter, RaiseCoalescer,
};
use northgate_storage::{EventStore, GatedStore};
use northgate_storage_sqlite::OpenError;
use northgate_ws::{ChatLimitSettings, HeartbeatSettings, SocketContext, upgrade};
use std::future::{Future, pending};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Events as every stream carries them.
const ENCODER: Encoder = Encoder { event: encode_event, position: encode_position };
/// The most bytes of a request's body, and of a message on a socket.
const MESSAGE_BYTES: usize = 64 * 1024;
/// The most bytes of collections that wait for their clients, all together.
const ANSWERS_BYTES: usize = 64 * 1024 * 1024;
/// Appends wait while the fan-out is so many events behind, or half of what the store holds if
/// that is less: what is trimmed must have been sent.
const PUMP_LAG_EVENTS: usize = 1_024;
/// How often alerts that are to end by themselves are looked for.
const RESOLVE_EVERY: Duration = Duration::from_secs(1);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {}; choose another with --host and --port", reason(.source))]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// Why the kernel said no.
        source: io::Error,
    },
    /// The system's clock cannot be used.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The runtime cannot be set up.
    #[error("cannot start the worker threads: {0}")]
    Runtime(#[from] io::Error),
    /// The folder for data cannot be used; the reason says what it is about.
    #[error("{0}")]
    Data(#[from] OpenError),
    /// The words of what runs by itself are not valid text.
    #[error("cannot start the generator and the timer")]
    Generator(#[from] TextError),
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the port is in use".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine does not have the address".to_owned(),
        _ => error.to_string(),
    }
}

/// A server that is bound and not yet running.
pub struct Application {
    address: SocketAddr,
    server: Server,
    running: Running,
}

/// What every worker thread builds its part from.
#[derive(Clone)]
struct Parts {
    readiness: Readiness,
    hub: Hub,
    alerts: AlertService,
    chat: ChatService,
    sockets: TaskTracker,
    chat_limit: ChatLimitSettings,
    limiter: ConnectionLimiter,
    answers: AnswerBudget,
    request_timeout: Duration,
    keep_alive: Duration,
    hosts: HostPolicy,
    origins: OriginPolicy,
    cors: CorsSettings,
    heartbeat: HeartbeatSettings,
}

impl Application {
    /// Binds the address and wires everything together. To be called on the runtime's main
    /// thread; nothing is accepted before [`Application::run_until_stopped`].
    pub fn build(settings: &Settings) -> Result<Self, StartError> {
        check_clock()?;
        let (listener, address) = bind(settings)?;

        let Store { port: kept, events, health, database } = Store::open(settings)?;
        let (hub, pump) = Hub::new(kept.clone(), WindowLimits::default(), ENCODER);
        let lag = PUMP_LAG_EVENTS.min(events.get() / 2) as u64;
        let store = Arc::new(GatedStore::new(kept).paced_by(hub.pumped(), lag));
        let port: Arc<dyn EventStore> = store.clone();
        let coalescer = RaiseCoalescer::new(settings.alerts.repeat_window.0, Handle::current());
        let alerts = AlertService::new(port.clone(), coalescer, Arc::new(SystemStamps));

        let supervisor = Supervisor::default();
        let sources_stop = CancellationToken::new();
        start_sources(settings, &port, &alerts, &supervisor, &sources_stop)?;
        let pump_stop = CancellationToken::new();
        supervisor.spawn("pump", pump_stop.clone(), pump.run(pump_stop.clone()));
        let server_stop = CancellationToken::new();
        let fan_out = hub.clone();
        supervisor.watch("fan-out worker", server_stop.clone(), async move {
            fan_out.worker_failed().await;
            "its task ended, or its thread".to_owned()
        });
        if let Some(database) = &database {
            database.keep_for(hub.pumped());
            let mut failed = database.failed();
            supervisor.watch("store on disk", server_stop.clone(), async move {
                let reason = failed.wait_for(Option::is_some).await.ok().and_then(|r| r.clone());
                match reason {
                    Some(reason) => format!("it panicked: {reason}"),
                    // The store was closed.
                    None => pending().await,
                }
            });
        }

        tell_what_is_open(address, settings);
        let stopping = CancellationToken::new();
        let public = &settings.server.public_host;
        let parts = Parts {
            readiness: Readiness::new(
                hub.clone(),
                health,
                stopping.clone(),
                supervisor.failed().clone(),
            ),
            hub: hub.clone(),
            alerts: alerts.clone(),
            chat: ChatService::new(port),
            sockets: TaskTracker::new(),
            chat_limit: ChatLimitSettings {
                per_second: settings.chat.rate,
                burst: settings.chat.burst,
            },
            limiter: ConnectionLimiter::new(settings.server.connection_limits()),
            answers: AnswerBudget::new(ANSWERS_BYTES),
            request_timeout: settings.server.request_timeout.0,
            keep_alive: settings.server.keep_alive.0,
            hosts: HostPolicy::new(address.ip(), public.names()),
            origins: OriginPolicy::new(address, public.names(), settings.cors.origins.listed()),
            cors: cors_settings(&settings.cors),
            heartbeat: HeartbeatSettings {
                ping_after: settings.heartbeat.interval.0,
                pong_within: settings.heartbeat.timeout.0,
            },
        };
        let sockets = parts.sockets.clone();
        let server = serve(listener, settings.server.workers.get(), parts)?;
        let running = Running {
            store,
            alerts,
            database,
            hub,
            drain_delay: settings.server.drain_delay.0,
            stopping,
            draining: CancellationToken::new(),
            sources_stop,
            server_stop,
            pump_stop,
            supervisor,
            sockets,
        };
        Ok(Self { address, server, running })
    }

    /// The address that was really bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How far the server is on its way to the end.
    pub fn progress(&self) -> Progress {
        Progress {
            draining: self.running.draining.clone(),
            failed: self.running.supervisor.failed().clone(),
        }
    }

    /// Serves until `stop` is ready, then stops in good order. It stops by itself, without the
    /// delay, when a part fails that it cannot do without: that is the error.
    pub async fn run_until_stopped<R: Into<StopRequest>>(
        self,
        stop: impl Future<Output = R>,
    ) -> Result<(), PartFailure> {
        let Self { address, server, running } = self;
        let handle = server.handle();
        running.supervisor.spawn_with_reason("HTTP server", running.server_stop.clone(), async {
            server
                .await
                .map_or_else(|error| error.to_string(), |()| "it ended by itself".to_owned())
        });
        tracing::info!(%address, "listening");
        let request = tokio::select! {
            request = stop => request.into(),
            () = running.supervisor.failed().cancelled() => "a failed part".into(),
        };
        let drain_delay = running.drain_delay;
        tracing::info!(asked_by = request.asked_by, ?drain_delay, "stopping");
        let stopped = running.stop(handle, &request).await;
        tracing::info!("stopped");
        stopped
    }
}

/// Binds the address that is set.
fn bind(settings: &Settings) -> Result<(TcpListener, SocketAddr), StartError> {
    let wanted = SocketAddr::new(settings.server.host.address(), settings.server.port);
    let listen = |source| StartError::Listen { address: wanted, source };
    let listener = sockets::listen(wanted).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    Ok((listener, address))
}

/// Starts what raises and resolves alerts by itself.
fn start_sources(
    settings: &Settings,
    port: &Arc<dyn EventStore>,
    alerts: &AlertService,
    supervisor: &Supervisor,
    stop: &CancellationToken,
) -> Result<(), StartError> {
    if let Some(every) = settings.generator_interval() {
        let generator =
            AlertGenerator::new(alerts.clone(), interval(every), Arc::new(SystemStamps))?;
        supervisor.spawn("generator", stop.clone(), generator.run(stop.clone()));
    }
    let resolver = AlertResolver::new(
        port.clone(),
        alerts.clone(),
        settings.alerts.quiet_for(),
        Arc::new(SystemStamps),
        interval(RESOLVE_EVERY),
    )?;
    supervisor.spawn("alert resolver", stop.clone(), resolver.run(stop.clone()));
    Ok(())
}

fn serve(listener: TcpListener, workers: usize, parts: Parts) -> io::Result<Server> {
    let settings = ConnectionSettings {
        workers,
        head_timeout: parts.request_timeout,
        keep_alive: parts.keep_alive,
        shutdown_timeout: CONNECTIONS_WITHIN,
    };
    let app = move || {
        let parts = parts.clone();
        let worker = parts.hub.worker();
        let socket_context = SocketContext {
            worker: worker.clone(),
            chat: parts.chat.clone(),
            alerts: parts.alerts.clone(),
            chat_limit: parts.chat_limit,
            limiter: parts.limiter.clone(),
            tasks: parts.sockets.clone(),
            max_message_bytes: MESSAGE_BYTES,
            heartbeat: parts.heartbeat,
        };
        let api = ApiContext {
            alerts: parts.alerts,
            chat: parts.chat,
            limiter: parts.limiter,
            worker,
            readiness: parts.readiness,
            answers: parts.answers,
            body_limit: BodyLimit(MESSAGE_BYTES),
        };
        App::new()
            .app_data(web::Data::new(BodyPatience(parts.request_timeout)))
            .app_data(web::Data::new(parts.hosts))
            .app_data(web::Data::new(parts.origins.clone()))
            .app_data(web::Data::new(socket_context))
            .service(Endpoint::at("/ws").get_only(upgrade))
            .configure(|app| northgate_api::configure(app, api))
            // The last one wrapped is the first one to see a request.
            .wrap(cors(&parts.cors, parts.origins))
            .wrap(from_fn(refuse_foreign_origins))
            .wrap(from_fn(refuse_foreign_hosts))
            .wrap(from_fn(read_bodies_to_their_end))
            .wrap(from_fn(tell_problems))
            .wrap(from_fn(fill_empty_answers))
            .wrap(security_headers())
    };
    connections::serve(listener, &settings, app)
}

fn cors_settings(section: &CorsSection) -> CorsSettings {
    let lets_all_in = section.origins.listed().iter().any(|origin| origin == "*");
    if lets_all_in && section.credentials {
        tracing::warn!(
            "CORS_ORIGINS_ALLOWED is * and CORS_CREDENTIAL is true: any page could act in the name \
             of whoever looks at it, so credentials are left out; list the origins that need them"
        );
    }
    CorsSettings {
        methods: section.methods.listed(),
        headers: section.headers.listed(),
        credentials: section.credentials && !lets_all_in,
    }
}

/// Says in one line who may use the server: there are no accounts.
fn tell_what_is_open(address: SocketAddr, settings: &Settings) {
    let hosts = settings.server.public_host.names();
    let origins = settings.cors.origins.listed();
    let is_local = address.ip().to_canonical().is_loopback();
    let pages = match (origins.iter().any(|origin| origin == "*"), is_local) {
        (true, _) => "all",
        (false, true) => "those of localhost",
        (false, false) => "its own",
    };
    if is_local {
        tracing::info!(
            %address, pages, public_hosts = ?hosts, origins = ?origins,
            "open to every program of this machine, without a password"
        );
    } else {
        tracing::warn!(
            %address, pages, public_hosts = ?hosts, origins = ?origins,
            "open to whoever reaches this address, without a password"
        );
    }
}

#[cfg(test)]
mod tests;
