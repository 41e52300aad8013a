//! Streams events over HTTP as server-sent events.

use crate::ApiError;
use crate::event_stream::EventStream;
use crate::middlewares::AllowedOrigin;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use northgate_domain::Subscription;
use northgate_hub::Worker;
use northgate_schemas::{EventTypeName, Problem, parse_position, parse_subscription};
use northgate_services::ConnectionLimiter;
use std::time::Duration;

/// Interval of `live` notices for a client that requests none.
const LIVE_EVERY: Duration = Duration::from_secs(15);

/// Header with the id of the last event that a browser received.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Header that asks nginx, and proxies that support the header too, to forward each event
/// immediately.
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");

/// Stream events as server-sent events.
///
/// The stream contains the same events as `/ws`, for the `EventSource` of browsers and for `curl
/// -N`. Events of the log have no name, and their `id` is their position. The notices `resume`,
/// `live` and `busy` have names. A stream begins with `resume` or `live`, so that a client has an
/// `id` to resume from even before the first event. If the server has no free connection or its
/// store is unavailable, the stream sends `busy` and ends.
#[utoipa::path(
    get,
    path = "/events",
    tag = "streams",
    params(
        ("after" = Option<String>, Query, description = "Start after this position: \
            first the retained events after this position, then new events. \
            `after` and `last` cannot be combined.",
            example = "9f86d081884c7d65-42"),
        ("last" = Option<u16>, Query, maximum = 1000, description = "Start with this number of the \
            newest matching events. Only the newest 32,768 retained events are searched."),
        ("types" = Option<Vec<EventTypeName>>, Query, explode = false,
            description = "Only events of these types, separated by commas. Changes of alerts \
            (`alert_update`) are only sent if they are listed here."),
        ("severity" = Option<Vec<String>>, Query, explode = false,
            description = "Only alerts of these severities, separated by commas."),
        ("min_severity" = Option<String>, Query,
            description = "Only alerts with at least this severity."),
        ("location" = Option<Vec<String>>, Query, description = "Only alerts whose location \
            is exactly one of these. The parameter can occur several times."),
        ("source" = Option<Vec<String>>, Query, description = "Only alerts whose source is \
            exactly one of these. The parameter can occur several times."),
        ("label.<name>" = Option<Vec<String>>, Query, description = "Only alerts that have this \
            label with this value. Several values of one label are alternatives; several labels \
            must all match."),
        ("live_every" = Option<String>, Query, pattern = "^([1-9]|[1-5][0-9]|60)s$",
            description = "Interval of the notice `live`, in whole seconds from `1s` to `60s`. \
            The default is 15 seconds, and on `/ws` 25 seconds.", example = "5s"),
        ("lastEventId" = Option<String>, Query, description = "The same as the header \
            `Last-Event-ID`, for clients that cannot send headers. This parameter overrides \
            `after` and `last`."),
        ("Last-Event-ID" = Option<String>, Header, description = "The last `id` that the client \
            received. This header overrides `after`, `last` and `lastEventId`. If the value is \
            not a position, the stream begins with a gap.")
    ),
    responses(
        (status = 200, description = "The stream.", content_type = "text/event-stream",
            body = String, example = "event: live\ndata: {\"type\":\"live\",\
            \"position\":\"9f86d081884c7d65-43\"}\nid: 9f86d081884c7d65-43\n\n"),
        (status = 400, description = "The query is not valid; every bad parameter is named.",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The origin of the page is not allowed.",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn stream(
    request: HttpRequest,
    worker: web::Data<Worker>,
    limiter: web::Data<ConnectionLimiter>,
    _: AllowedOrigin,
) -> Result<HttpResponse, ApiError> {
    let subscription = subscription(&request)?;
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/event-stream")
        // `no-transform` forbids compression, because a proxy that compresses could buffer an event
        // until the next event arrives.
        .insert_header((header::CACHE_CONTROL, "no-store, no-transform"))
        .insert_header(UNBUFFERED);
    if request.method() == Method::HEAD {
        return Ok(response.body(EventStream::ended()));
    }
    Ok(match limiter.acquire(request.peer_addr().map(|peer| peer.ip())) {
        Ok(permit) => {
            let cursor = worker.stream(subscription, Some(LIVE_EVERY));
            response.body(EventStream::new(cursor, permit))
        }
        // The status is 200, because a browser does not reconnect after any other status.
        Err(full) => response.body(EventStream::busy(&full.to_string())),
    })
}

fn subscription(request: &HttpRequest) -> Result<Subscription, ApiError> {
    let wanted = parse_subscription(request.query_string()).map_err(ApiError::Query)?;
    let mut ids = request.headers().get_all(LAST_EVENT_ID).map(HeaderValue::as_bytes);
    Ok(match (ids.next(), ids.next()) {
        // A browser that has received no id yet may send an empty value.
        (None | Some(b""), None) => wanted,
        // Two headers are ambiguous. Their values are joined, the joined text is not a valid
        // position, and the stream begins with a gap.
        (id, other) => {
            let id = [id.unwrap_or_default(), other.unwrap_or_default()].concat();
            wanted.resumed(parse_position(&String::from_utf8_lossy(&id)).ok())
        }
    })
}
