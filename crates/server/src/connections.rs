//! From a listener to connections that speak HTTP/1.1.
//!
//! What `actix_web::HttpServer` does, with two things that it has no place for: a stream and a
//! future of our own around each connection (see `request_stream` and `header_timeout`).

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

/// What the server is told about its connections.
pub(crate) struct ConnectionSettings {
    /// Threads that serve them.
    pub(crate) workers: usize,
    /// How long the head of a request may take.
    pub(crate) head_timeout: Duration,
    /// How long a connection that was answered may stay without a new request.
    pub(crate) keep_alive: Duration,
    /// How long a graceful stop waits for those that are open.
    pub(crate) shutdown_timeout: Duration,
}

/// A server that answers what comes to `listener` with an `app` for every worker thread.
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
        // An address for URLs that name their own server: there are none.
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
            // Heads have their time from `HeaderDeadline`, the first one too.
            .client_request_timeout(Duration::ZERO)
            // A connection that is done ends at once: bodies that nobody wants are read before
            // their answer, and WebSockets linger by themselves.
            .client_disconnect_timeout(Duration::ZERO)
            // The stream tells of the end of a client when that has been answered.
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

/// What of a request decides how its answer is framed.
struct Asked {
    version: Version,
    offers_upgrade: bool,
    exchange: Rc<Exchange>,
}

/// Keeps a request in hand until its answer is sent.
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
        // HTTP/1.0 knows no chunks: such an answer ends with its connection.
        head.no_chunking(true);
        head.set_connection_type(ConnectionType::Close);
    }
    // Behind an offer that is not taken everything would be the other protocol's.
    if !is_upgrade && (asked.offers_upgrade || asked.exchange.is_last()) {
        head.set_connection_type(ConnectionType::Close);
    }
    // Of an answer over HTTP/1.0 nobody can tell whether it says so or says nothing.
    let version = std::mem::replace(&mut head.version, Version::HTTP_11);
    if head.connection_type() == ConnectionType::Close {
        asked.exchange.end_with_this();
    }
    head.version = version;
    Ok(answer.map_body(|_, body| in_hand.until_sent(body)))
}
