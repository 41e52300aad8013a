//! The upgrade of an HTTP request to a WebSocket: handshake checks and the setup of a connection.

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

/// Dependencies and limits of the connections of one worker thread.
pub struct SocketContext {
    /// Fan-out of this thread.
    pub worker: Worker,
    /// Limit on the number of connections.
    pub limiter: ConnectionLimiter,
    /// Service that posts chat messages.
    pub chat: ChatService,
    /// Service that acts on alerts.
    pub alerts: AlertService,
    /// Rate limit for the messages of one client.
    pub chat_limit: ChatLimitSettings,
    /// Owns the task of every connection.
    pub tasks: TaskTracker,
    /// Largest message in bytes, with all of its fragments.
    pub max_message_bytes: usize,
    /// Limits on the silence of a client.
    pub heartbeat: HeartbeatSettings,
}

/// Interval of the notices that state the position of the stream, for a client that requests none.
/// A client receives notices if its query requests a start, a filter or an interval.
const LIVE_EVERY: Duration = Duration::from_secs(25);

/// Value of `Retry-After`, in seconds, when the limit of connections is reached.
const RETRY_AFTER_SECONDS: &str = "5";

/// Reason why a request does not become a WebSocket.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UpgradeError {
    /// The request has no `Upgrade: websocket`, or no `Connection: Upgrade`.
    #[error("This path accepts WebSocket connections only. Connect with a WebSocket client.")]
    NotAnUpgrade,
    /// The WebSocket version is not 13, the version of RFC 6455.
    #[error("Sec-WebSocket-Version must be 13.")]
    Version,
    /// The key is missing, or is not sixteen bytes in Base64.
    #[error("Sec-WebSocket-Key must be sent once and be 16 bytes in Base64.")]
    Key,
    /// The request has a body, or offers more than one protocol. The HTTP decoder, this crate and a
    /// proxy could interpret the bytes after such a request differently.
    #[error(
        "A WebSocket request must have no body and one Upgrade header, with the value websocket."
    )]
    Ambiguous,
    /// The HTTP version of the request does not support an upgrade.
    #[error("A WebSocket request must use HTTP/1.1.")]
    HttpVersion,
    /// The query of the request is not valid.
    #[error("The query is not valid; see errors.")]
    Query(FieldErrors),
    /// The limit of connections is reached.
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

/// Answers `GET /ws` with a connection for chat messages and actions on alerts.
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

/// Starts a connection whose messages `handler` handles. Unless the query requests another start,
/// the stream starts at the head of the log at the time of this call, before the 101 response.
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

/// Checks the request as RFC 6455 section 4.2.1 requires of a server.
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
