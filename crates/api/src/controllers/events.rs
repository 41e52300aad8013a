//! Events as they happen, over HTTP.

use crate::ApiError;
use crate::event_stream::EventStream;
use crate::middlewares::AtHome;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use northgate_hub::{Seats, Worker};
use northgate_schemas::StreamRequest;
use std::time::Duration;

/// How often a client is told how far its stream is.
const LIVE_EVERY: Duration = Duration::from_secs(15);

/// Says where a browser was cut.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells proxies (nginx's name for it) to hand on at once what comes.
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");

/// Every event as it happens, as server-sent events: what `/ws` sends, for browsers' `EventSource`
/// and for `curl -N`.
pub(crate) async fn stream(
    request: HttpRequest,
    worker: web::Data<Worker>,
    seats: web::Data<Seats>,
    _: AtHome,
) -> Result<HttpResponse, ApiError> {
    let wanted = requested(&request)?;
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(UNBUFFERED);
    if request.method() == Method::HEAD {
        return Ok(response.body(EventStream::ended()));
    }
    Ok(match seats.take(request.peer_addr().map(|peer| peer.ip())) {
        Ok(seat) => {
            let cursor = worker.stream(wanted, Some(LIVE_EVERY)).seated(seat);
            response.body(EventStream::new(cursor))
        }
        // Any other status would make a browser give up for good.
        Err(full) => response.body(EventStream::busy(&full.to_string())),
    })
}

fn requested(request: &HttpRequest) -> Result<StreamRequest, ApiError> {
    let wanted = StreamRequest::parse(request.query_string()).map_err(ApiError::Query)?;
    match request.headers().get(LAST_EVENT_ID).map(HeaderValue::as_bytes) {
        // A browser that has seen no id yet may say so.
        None | Some(b"") => Ok(wanted),
        Some(id) => wanted.resumed(&String::from_utf8_lossy(id)).map_err(ApiError::Query),
    }
}
