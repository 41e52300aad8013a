//! The HTTP/1.1 server: accepts connections from a listener and serves them.
//!
//! This server replaces `actix_web::HttpServer`, because it must wrap the stream and the future of
//! each connection (see `request_stream` and `header_timeout`).

mod framing;
mod head;
mod head_room;
mod header_timeout;
mod idle;
mod lingering;
mod request_stream;

use crate::open_files::most_sockets;
use crate::sockets;
use crate::system::SystemClock;
use actix_http::body::{BodySize, MessageBody};
use actix_http::{
    ConnectionType, HttpMessage, HttpService, Protocol, Request, Response, StatusCode, Version,
    header,
};
use actix_server::Server;
use actix_service::{IntoServiceFactory, Service, ServiceFactory, apply_fn_factory, map_config};
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::rt::net::TcpStream;
use header_timeout::{Answering, HeaderDeadline, InFlight, WRITE_BUFFER_BYTES};
use idle::Registration;
use northgate_api::answer_to_bad_head;
use northgate_api::middlewares::LocalAddress;
use northgate_domain::Clock;
use request_stream::{Exchange, MakeRefusal, RequestStream};
use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::time::Duration;

/// Settings of the server's connections.
pub(crate) struct ConnectionSettings {
    /// Number of worker threads.
    pub(crate) workers: usize,
    /// Time limit for the head of a request.
    pub(crate) head_timeout: Duration,
    /// Time that a connection stays open between two requests.
    pub(crate) keep_alive: Duration,
    /// Time that a graceful stop waits for open connections.
    pub(crate) shutdown_timeout: Duration,
}

/// Returns a server that accepts connections from `listener`, with one `app` per worker thread.
pub(crate) fn serve<F, I, S, B>(
    listener: TcpListener,
    settings: &ConnectionSettings,
    app: F,
) -> io::Result<Server>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse<B>> + 'static,
    S: ServiceFactory<Request, Error = actix_web::Error, InitError = ()>,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let (head_timeout, keep_alive) = (settings.head_timeout, settings.keep_alive);
    let make_refusal: MakeRefusal = |error| answer_to_bad_head(error, SystemClock.now());
    let max_open = most_sockets();
    let server = Server::build()
        .workers(settings.workers)
        .shutdown_timeout(settings.shutdown_timeout.as_secs())
        .disable_signals();
    let stopping = server.graceful_shutdown_signal();
    let server = server.listen("http", listener, move || {
        let stopping = stopping.clone();
        // The host and the address in `AppConfig` are used only to build URLs. This server builds
        // no URLs, so the default values suffice.
        let app = map_config(app().into_factory(), |()| AppConfig::default());
        let app = apply_fn_factory(app, |request: Request, app: &S::Service| {
            let asked = Asked {
                version: request.version(),
                offers_upgrade: request.headers().contains_key(header::UPGRADE),
                exchange: request.conn_data::<Rc<Exchange>>().cloned().unwrap_or_default(),
            };
            held(InFlight::begin(), asked, app.call(request))
        });
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .on_connect_ext(|stream: &RequestStream, data| {
                data.insert(stream.exchange());
                data.insert(stream.invitation());
                if let Some(address) = stream.local_address() {
                    data.insert(LocalAddress(address));
                }
            })
            .keep_alive(keep_alive)
            // `HeaderDeadline` limits the time of every head, the first one included.
            .client_request_timeout(Duration::ZERO)
            // The HTTP library closes a finished connection without waiting for the client. Other
            // code waits where necessary: `read_bodies_to_their_end`, `RequestStream`, and the
            // WebSockets.
            .client_disconnect_timeout(Duration::ZERO)
            // A client may end its half before the answer. `RequestStream` reports the end of the
            // half only after the answer.
            .h1_allow_half_closed(true)
            .h1_write_buffer_size(WRITE_BUFFER_BYTES)
            .finish(app);
        apply_fn_factory(http, move |stream: TcpStream, http: &_| {
            sockets::bound(&stream);
            let peer = stream.peer_addr().ok();
            let exchange = Rc::<Exchange>::default();
            let stream = RequestStream::new(stream, exchange.clone(), make_refusal);
            let serving = http.call((stream, Protocol::Http1, peer));
            HeaderDeadline::new(serving, head_timeout, exchange, Registration::new(max_open))
        })
    })?;
    Ok(server.run())
}

/// The properties of a request that determine the framing of its answer, and whether the connection
/// closes after it.
struct Asked {
    version: Version,
    offers_upgrade: bool,
    exchange: Rc<Exchange>,
}

/// Awaits the answer, decides whether the connection closes after the answer, and counts the
/// request as in flight until the answer is sent.
async fn held<B: MessageBody + 'static>(
    in_hand: InFlight,
    asked: Asked,
    answer: impl Future<Output = actix_web::Result<ServiceResponse<B>>>,
) -> actix_web::Result<Response<Answering>> {
    let mut answer: Response<B> = answer.await?.into();
    let is_endless = matches!(answer.body().size(), BodySize::Stream);
    let is_upgrade = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
    let head = answer.head_mut();
    if is_endless && asked.version < Version::HTTP_11 {
        // HTTP/1.0 has no chunked encoding, so the end of the connection ends the answer.
        head.no_chunking(true);
        head.set_connection_type(ConnectionType::Close);
    }
    // After a rejected `Upgrade` the connection closes, because the client may already send the
    // other protocol.
    if !is_upgrade && (asked.offers_upgrade || asked.exchange.is_last()) {
        head.set_connection_type(ConnectionType::Close);
    }
    // For HTTP/1.0, `connection_type` returns `Close` for an explicit `close` and also by default.
    // For HTTP/1.1 it returns `Close` only for an explicit `close`.
    let version = std::mem::replace(&mut head.version, Version::HTTP_11);
    if head.connection_type() == ConnectionType::Close {
        asked.exchange.end_with_this();
    }
    head.version = version;
    Ok(answer.map_body(|_, body| in_hand.until_sent(body)))
}
