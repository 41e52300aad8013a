//! From an HTTP request to a WebSocket: the checks of the handshake, and the wiring of a
//! connection.

use crate::chat::Chat;
use crate::connection::Connection;
use crate::guard::FrameGuard;
use crate::heartbeat::{Heartbeat, HeartbeatSettings};
use crate::limit::{ChatLimit, ChatLimitSettings};
use crate::message_handler::MessageHandler;
use crate::outgoing_body::OutgoingBody;
use actix_http::BoxedPayloadStream;
use actix_http::body::MessageBody;
use actix_web::http::{StatusCode, header, header::HeaderValue};
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError, dev, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use northgate_hub::Worker;
use northgate_schemas::{FieldErrors, Problem, parse_subscription};
use northgate_services::{AlertService, ChatService, ConnectionLimitReached, ConnectionLimiter};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// What a connection needs, one per worker thread.
pub struct SocketContext {
    /// The fan-out of this thread.
    pub worker: Worker,
    /// How many connections there may be.
    pub limiter: ConnectionLimiter,
    /// Where chat messages go.
    pub chat: ChatService,
    /// Where alerts are acted on.
    pub alerts: AlertService,
    /// How much one client may say.
    pub chat_limit: ChatLimitSettings,
    /// Owns the task of every connection.
    pub tasks: TaskTracker,
    /// The most bytes of one message, its fragments together.
    pub max_message_bytes: usize,
    /// How long a client may be silent.
    pub heartbeat: HeartbeatSettings,
}

/// How often a client that asked for more than what happens from now on is told how far it is.
const LIVE_EVERY: Duration = Duration::from_secs(25);

/// When to ask again after there was no place. (Seconds.)
const RETRY_AFTER_SECONDS: &str = "5";

/// Why a request does not become a WebSocket.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UpgradeError {
    /// There is no `Upgrade: websocket`, or no `Connection: Upgrade`.
    #[error("This address speaks WebSocket only: connect with a WebSocket client.")]
    NotAnUpgrade,
    /// The version is not the one of RFC 6455.
    #[error("Only version 13 of the WebSocket protocol is spoken here.")]
    Version,
    /// The key is missing, or is not sixteen bytes in Base64.
    #[error("Sec-WebSocket-Key must be given once, and be sixteen bytes in Base64.")]
    Key,
    /// There is a body, or more than one protocol to choose from. The HTTP decoder takes what
    /// follows such a request for something else than we would, and a proxy for a third.
    #[error("The request for a WebSocket has no body, and asks for websocket alone.")]
    Ambiguous,
    /// The request's HTTP version knows no upgrade.
    #[error("A WebSocket begins with an HTTP/1.1 request.")]
    HttpVersion,
    /// The query asks for what there is not.
    #[error("The query is not valid; see errors.")]
    Query(FieldErrors),
    /// There is no place for another connection.
    #[error(transparent)]
    ConnectionLimitReached(#[from] ConnectionLimitReached),
}

impl ResponseError for UpgradeError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotAnUpgrade | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Key | Self::Ambiguous | Self::HttpVersion | Self::Query(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::ConnectionLimitReached(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let title = status.canonical_reason().unwrap_or_default();
        let slug = if let Self::ConnectionLimitReached(_) = self { "full" } else { "upgrade" };
        let mut problem = Problem::new(slug, status.as_u16(), title, self.to_string());
        if let Self::Query(findings) = self {
            problem = problem.with_query(findings);
        }
        let mut response = HttpResponse::build(status);
        if status == StatusCode::UPGRADE_REQUIRED {
            response.insert_header((header::UPGRADE, "websocket"));
            response.insert_header((header::SEC_WEBSOCKET_VERSION, "13"));
        }
        if let Self::ConnectionLimitReached(_) = self {
            response.insert_header((header::RETRY_AFTER, RETRY_AFTER_SECONDS));
        }
        response.content_type(Problem::MEDIA_TYPE).body(problem.to_json())
    }
}

/// Answers `GET /ws`: what the client says is chat, or acts on alerts.
pub async fn upgrade(
    request: HttpRequest,
    payload: web::Payload,
    context: web::Data<SocketContext>,
) -> actix_web::Result<HttpResponse> {
    let limit = ChatLimit::new(context.chat_limit);
    let (service, alerts) = (context.chat.clone(), context.alerts.clone());
    let chat = Chat { service, alerts, limit };
    upgrade_with(&request, payload, &context, chat).await
}

/// Begins a connection that hears what its client says by `handler`. Unless the query asks
/// for more, it starts at what is the head now, before its 101.
pub async fn upgrade_with(
    request: &HttpRequest,
    payload: web::Payload,
    context: &SocketContext,
    handler: impl MessageHandler,
) -> actix_web::Result<HttpResponse> {
    check_handshake(request)?;
    let subscription = parse_subscription(request.query_string()).map_err(UpgradeError::Query)?;
    let permit = context.limiter.acquire(request.peer_addr().map(|peer| peer.ip()));
    let permit = permit.map_err(UpgradeError::ConnectionLimitReached)?;
    let live_every = subscription.is_announced().then_some(LIVE_EVERY);
    let cursor = context.worker.stream(subscription, live_every);

    let max_bytes = context.max_message_bytes;
    let guard = FrameGuard::new(payload.into_inner(), max_bytes);
    let guarded: BoxedPayloadStream = Box::pin(guard.clone());
    let mut guarded = dev::Payload::Stream { payload: guarded };
    let payload = web::Payload::from_request(request, &mut guarded).await?;
    let (response, session, messages) = actix_ws::handle(request, payload)?;
    let messages = messages
        .max_frame_size(max_bytes)
        .aggregate_continuations()
        .max_continuation_size(max_bytes);

    let (close, closing) = oneshot::channel();
    let taken = Rc::new(Notify::new());
    let connection = Connection {
        messages,
        guard,
        session,
        handler,
        closing: close,
        taken: taken.clone(),
        heartbeat: Heartbeat::new(context.heartbeat, Instant::now()),
    };
    context.tasks.spawn_local(connection.run());
    Ok(response
        .map_body(|_, inner| OutgoingBody::new(inner, cursor, permit, closing, taken).boxed()))
}

/// The server's part of RFC 6455 section 4.2.1.
fn check_handshake(request: &HttpRequest) -> Result<(), UpgradeError> {
    let headers = request.headers();
    let has_token = |name, token: &str| {
        headers
            .get_all(name)
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(token))
    };
    if !has_token(header::UPGRADE, "websocket") || !has_token(header::CONNECTION, "upgrade") {
        return Err(UpgradeError::NotAnUpgrade);
    }
    let mut protocols = headers.get_all(header::UPGRADE);
    let alone = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"websocket");
    if !protocols.next().is_some_and(alone)
        || protocols.next().is_some()
        || headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0")
    {
        return Err(UpgradeError::Ambiguous);
    }
    if request.version() != actix_web::http::Version::HTTP_11 {
        return Err(UpgradeError::HttpVersion);
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(UpgradeError::Version);
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY);
    let key = keys.next().and_then(|key| STANDARD.decode(key.as_bytes()).ok());
    if key.is_none_or(|key| key.len() != 16) || keys.next().is_some() {
        return Err(UpgradeError::Key);
    }
    Ok(())
}
