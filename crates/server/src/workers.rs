//! The HTTP application of each worker thread: routes and their middlewares.

use crate::configuration::{BoardName, CorsSection, Settings};
use crate::connections::{self, ConnectionSettings};
use crate::stopping::{CONNECTIONS_WITHIN, Running};
use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::ServiceConfig;
use actix_web::{App, web};
use northgate_api::middlewares::{
    BodyPatience, CorsSettings, HostPolicy, OriginPolicy, cors, fill_empty_answers,
    read_bodies_to_their_end, refuse_foreign_hosts, refuse_foreign_origins, security_headers,
    tell_problems,
};
use northgate_api::{AnswerBudget, ApiContext, BodyLimit, Endpoint, Readiness};
use northgate_dashboard::Board;
use northgate_hub::Hub;
use northgate_services::{AlertService, ChatService, ConnectionLimiter, StoreProbe};
use northgate_ws::{ChatLimitSettings, HeartbeatSettings, SocketContext, upgrade};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// Upper bound of bytes of a request body, and of a message on a WebSocket.
const MESSAGE_BYTES: usize = 64 * 1024;
/// Upper bound of bytes of all collection answers together that are not yet sent.
const ANSWERS_BYTES: usize = 64 * 1024 * 1024;

/// Adds routes to the app of one worker thread.
pub(crate) type Routes = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// The values from which each worker thread builds its application.
#[derive(Clone)]
pub(crate) struct WorkerParts {
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
    board: Board,
}

impl WorkerParts {
    pub(crate) fn new(
        settings: &Settings,
        address: SocketAddr,
        alerts: AlertService,
        chat: ChatService,
        probe: StoreProbe,
        running: &Running,
    ) -> Self {
        let public = &settings.server.public_host;
        Self {
            readiness: Readiness::new(
                running.hub.clone(),
                probe,
                running.stopping.clone(),
                running.supervisor.failed().clone(),
            ),
            hub: running.hub.clone(),
            alerts,
            chat,
            sockets: running.sockets.clone(),
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
            board: Board::new(settings.board.name.as_ref().map(BoardName::as_str)),
        }
    }
}

/// Serves the connections of `listener` on `workers` threads.
pub(crate) fn serve(
    listener: TcpListener,
    workers: usize,
    parts: WorkerParts,
    routes: Vec<Routes>,
) -> io::Result<Server> {
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
            // The page comes first: it answers only browsers at `/`, and the API all others.
            .configure(|app| northgate_dashboard::configure(app, &parts.board))
            .configure(|app| northgate_api::configure(app, api))
            .configure(|app| routes.iter().for_each(|routes| routes(app)))
            // The last middleware here is the first one that handles a request.
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
            "CORS_ORIGINS_ALLOWED is * and CORS_CREDENTIAL is true: any page could act on behalf \
             of its visitors, so credentials are not allowed; list the origins that need credentials"
        );
    }
    CorsSettings {
        methods: section.methods.listed(),
        headers: section.headers.listed(),
        credentials: section.credentials && !lets_all_in,
    }
}
