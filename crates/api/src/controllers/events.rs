//! Events as they happen, over HTTP.

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

/// How often a client is told how far its stream is.
const LIVE_EVERY: Duration = Duration::from_secs(15);

/// Says where a browser was cut.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells proxies (nginx's name for it) to hand on at once what comes.
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");

/// Every event as it happens, as server-sent events: what `/ws` sends, for browsers' `EventSource`
/// and for `curl -N`.
///
/// Events have no name and carry their position as `id`; `resume`, `live` and `busy` are named. A
/// stream opens with a `resume` or a `live`, so that there is an `id` to come back with from the
/// first moment on. A server that is full, or whose store is away, says `busy` and ends.
#[utoipa::path(
    get,
    path = "/events",
    tag = "streams",
    params(
        ("after" = Option<String>, Query, description = "Begin after this position: everything \
            since then, and then what happens. Not together with `last`.",
            example = "9f86d081884c7d65-42"),
        ("last" = Option<u16>, Query, maximum = 1000, description = "Begin with the newest so many \
            events that match, among the newest 32,768 that are held."),
        ("types" = Option<Vec<EventTypeName>>, Query, explode = false,
            description = "Only events of these types, separated by commas. Changes of alerts \
            (`alert_update`) come to nobody who does not ask for them here."),
        ("severity" = Option<Vec<String>>, Query, explode = false,
            description = "Only alerts of these severities, separated by commas."),
        ("min_severity" = Option<String>, Query,
            description = "Only alerts that are at least as bad as this."),
        ("location" = Option<Vec<String>>, Query, description = "Only alerts at one of these \
            locations, word for word; repeatable."),
        ("source" = Option<Vec<String>>, Query, description = "Only alerts from one of these \
            systems, word for word; repeatable."),
        ("label.<name>" = Option<Vec<String>>, Query, description = "Only alerts with this value of \
            the label of this name. Of one name any of its values will do; of several names the \
            alert has them all."),
        ("lastEventId" = Option<String>, Query, description = "The same as the header \
            `Last-Event-ID`, for clients that cannot send it. It wins over `after` and `last`."),
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` that a browser saw last; \
            it wins over the query. If it is no position, the stream opens with a gap.")
    ),
    responses(
        (status = 200, description = "The stream.", content_type = "text/event-stream",
            body = String, example = "event: live\ndata: {\"type\":\"live\",\
            \"position\":\"9f86d081884c7d65-43\"}\nid: 9f86d081884c7d65-43\n\n"),
        (status = 400, description = "The query is not valid; every bad parameter is named.",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "A page of a foreign origin asked.",
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
        // Proxies that compress gather what they compress: an event would wait for the next one.
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
        // Any other status would make a browser give up for good.
        Err(full) => response.body(EventStream::busy(&full.to_string())),
    })
}

fn subscription(request: &HttpRequest) -> Result<Subscription, ApiError> {
    let wanted = parse_subscription(request.query_string()).map_err(ApiError::Query)?;
    let mut ids = request.headers().get_all(LAST_EVENT_ID).map(HeaderValue::as_bytes);
    Ok(match (ids.next(), ids.next()) {
        // A browser that has seen no id yet may say so.
        (None | Some(b""), None) => wanted,
        // Of two ids nobody knows which one counts: together they are none.
        (id, other) => {
            let id = [id.unwrap_or_default(), other.unwrap_or_default()].concat();
            wanted.resumed(parse_position(&String::from_utf8_lossy(&id)).ok())
        }
    })
}
